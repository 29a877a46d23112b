import { NectarError } from '../errors.ts';
import { canonicalText } from './canonical-text.ts';
import { MAX_NOTE_LENGTH } from './note.ts';
import { MAX_PROOF_HASHES } from './verify.ts';

/** First line of a bundle. */
export interface BundleHeader {
  readonly v: 1;
  readonly kind: 'nectar-audit-bundle';
  /** The checkpoint that everything is shown against, a C2SP signed note. */
  readonly checkpoint: string;
  /** The log's key, NAME+HASH+KEY. Proves nothing by itself. */
  readonly vkey: string;
  /** The multi-proof of all entries: hex, 32 bytes each. */
  readonly proof: readonly string[];
  readonly heads: readonly BundleHead[];
}

/** An older head that somebody outside keeps, with the consistency proof to the checkpoint. */
export interface BundleHead {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  readonly where: string;
  readonly path: readonly string[];
}

/** Any other line: one entry. */
export interface BundleEntry {
  readonly index: number;
  /** The leaf's canonical JSON, as text. */
  readonly leaf: string;
  /** Base64; both or neither. */
  readonly salt?: string;
  readonly body?: string;
}

/** Most older heads that a bundle states. */
export const MAX_BUNDLE_HEADS = 16;
/** A sparse list of 100,000 entries takes some 13 hashes each. */
const MAX_BUNDLE_HASHES = 2_000_000;
const MAX_TEXT = 512;
/** A body of the largest size that can be configured, in base64 within JSON. */
const MAX_LINE = 2 * 1024 * 1024;
const MAX_HEADER_LINE = 160 * 1024 * 1024;

/** A line of a bundle: canonical JSON, as text without its end. */
export function encodeBundleLine(line: BundleHeader | BundleEntry): string {
  return canonicalText(line);
}

/** Throws AUDIT_EXPORT_INVALID. */
export function parseBundleHeader(text: string): BundleHeader {
  const { v, kind, checkpoint, vkey, proof, heads, ...rest } = parseLine(text, MAX_HEADER_LINE);
  if (v !== 1 || kind !== 'nectar-audit-bundle' || Object.keys(rest).length > 0)
    return refuse('it is not a bundle of version 1');
  if (!isText(checkpoint, MAX_NOTE_LENGTH) || !isText(vkey, MAX_TEXT))
    return refuse('a field of the header is missing');
  if (!isHashes(proof, MAX_BUNDLE_HASHES)) return refuse('the proof is malformed');
  if (!Array.isArray(heads) || heads.length > MAX_BUNDLE_HEADS) return refuse('the older heads are malformed');
  return { v, kind, checkpoint, vkey, proof, heads: heads.map(parseHead) };
}

/** Throws AUDIT_EXPORT_INVALID. */
export function parseBundleEntry(text: string): BundleEntry {
  const { index, leaf, salt, body, ...rest } = parseLine(text, MAX_LINE);
  if (!isSize(index) || typeof leaf !== 'string' || Object.keys(rest).length > 0)
    return refuse('an entry has not the fields of version 1');
  if (salt === undefined && body === undefined) return { index, leaf };
  if (typeof salt !== 'string' || typeof body !== 'string') return refuse('salt and body belong together');
  return { index, leaf, salt, body };
}

function parseHead(input: unknown): BundleHead {
  const { size, root, where, path, ...rest } = (typeof input === 'object' && input !== null ? input : {}) as Record<
    string,
    unknown
  >;
  if (!isSize(size) || !isHash(root) || !isText(where, MAX_TEXT) || !isHashes(path, MAX_PROOF_HASHES))
    return refuse('an older head is malformed');
  if (Object.keys(rest).length > 0) return refuse('an older head has fields that this version does not know');
  return { size, root, where, path };
}

/** Size, then shape, then the one spelling that a value has: a byte that could be another one would be nobody's to vouch for. */
function parseLine(text: string, maxLength: number): Record<string, unknown> {
  if (text.length > maxLength) refuse('a line is too long');
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('a line is not an object');
  if (!text.isWellFormed() || canonicalText(value) !== text) refuse('a line is not canonical JSON');
  return value as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse('a line is not JSON');
  }
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isHashes(value: unknown, max: number): value is string[] {
  return Array.isArray(value) && value.length <= max && value.every(isHash);
}

function refuse(reason: string): never {
  throw new NectarError('AUDIT_EXPORT_INVALID', { reason });
}
