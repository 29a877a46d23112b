import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';
import { canonicalText } from './canonical-text.ts';
import { parseUtf8 } from './text.ts';

/** Length of the salt that keeps a body from being guessed from its hash, in bytes. */
export const BODY_SALT_BYTES = 32;
/** An audit leaf is about 200 bytes; nothing longer is parsed. */
export const MAX_LEAF_BYTES = 1024;

/**
 * What the log commits to, for anyone to see: free of personal data and of anything that links two entries. Who, which
 * record and from where are in the body, which the leaf commits to by a salted hash.
 */
export interface AuditLeaf {
  readonly v: 1;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** Event type, such as `record.read`. */
  readonly type: string;
  readonly outcome: 'success' | 'failure';
  /** SHA-256(salt | body), 64 lower-case hex digits. */
  readonly bodyHash: string;
}

/** UTF-8 bytes of a value's canonical JSON (RFC 8785). Strings must be well-formed Unicode. */
export function canonicalBytes(value: object): Uint8Array {
  return utf8ToBytes(canonicalText(value));
}

/** Encodes a leaf as canonical JSON; the same leaf always gives the same bytes. */
export function encodeAuditLeaf(leaf: AuditLeaf): Uint8Array {
  return canonicalBytes(leaf);
}

/** Parses a leaf; throws AUDIT_LEAF_INVALID unless the bytes are the canonical form of a leaf of version 1. */
export function parseAuditLeaf(bytes: Uint8Array): AuditLeaf {
  if (bytes.length > MAX_LEAF_BYTES) refuse('it is too long');
  const value = parseJson(bytes);
  if (!isAuditLeaf(value)) return refuse('its fields are not those of version 1');
  const again = encodeAuditLeaf(value);
  if (again.length !== bytes.length || !again.every((byte, i) => byte === bytes[i])) refuse('it is not canonical');
  return value;
}

/**
 * Hash that a leaf carries of its body: SHA-256(salt | body), hex.
 * @param salt 32 random bytes, of this body alone
 */
export function bodyHash(salt: Uint8Array, body: Uint8Array): string {
  return bytesToHex(sha256(concatBytes(salt, body)));
}

/** Whether a text may be an event type: dotted lower-case words, so that no caller can leak a person's data into a leaf. */
export function isEventType(type: string): boolean {
  return type.length <= 64 && /^[a-z]+(\.[a-z]+(-[a-z]+)*)+$/.test(type);
}

function isAuditLeaf(value: unknown): value is AuditLeaf {
  if (typeof value !== 'object' || value === null) return false;
  const { v, time, type, outcome, bodyHash: hash, ...rest } = value as Record<string, unknown>;
  return (
    v === 1 &&
    typeof time === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) &&
    typeof type === 'string' &&
    isEventType(type) &&
    (outcome === 'success' || outcome === 'failure') &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    Object.keys(rest).length === 0
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(parseUtf8(bytes) ?? refuse('it is not UTF-8'));
  } catch (error) {
    if (error instanceof NectarError) throw error;
    return refuse('it is not JSON');
  }
}

function refuse(reason: string): never {
  throw new NectarError('AUDIT_LEAF_INVALID', { reason });
}
