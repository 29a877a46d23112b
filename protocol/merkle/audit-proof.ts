import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { LeafHash, RootHash } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { type AuditLeaf, BODY_SALT_BYTES, bodyHash, parseAuditLeaf } from './audit-leaf.ts';
import { parseBase64 } from './base64.ts';
import { type SignedCheckpoint, verifyCheckpoint } from './checkpoint.ts';
import { isKeyOfLog, parseOrigin } from './epoch.ts';
import { leafHash } from './hash.ts';
import { parseUtf8 } from './text.ts';
import { parseVerifierKey } from './verifier-key.ts';
import { MAX_PROOF_HASHES, verifyInclusion } from './verify.ts';

/** Everything that shows one entry to be in the log, for a reader without the node. JSON. */
export interface AuditProof {
  readonly v: 1;
  readonly kind: 'nectar-audit-proof';
  readonly index: number;
  /** Number of leaves of the tree that the path leads into; the checkpoint states the same. */
  readonly size: number;
  /** The leaf's canonical JSON, as text: exactly the bytes that were hashed. */
  readonly leaf: string;
  /** The inclusion path, from the leaf up: hex, 32 bytes each. */
  readonly path: readonly string[];
  /** The checkpoint, a C2SP signed note. */
  readonly checkpoint: string;
  /** The log's key, NAME+HASH+KEY. Proves nothing by itself: compare it with one from elsewhere. */
  readonly vkey: string;
  /** The body's salt and bytes, base64; absent when it is not disclosed or was erased. */
  readonly salt?: string;
  readonly body?: string;
}

/** What a verified proof shows. */
export interface VerifiedAuditProof {
  readonly index: number;
  readonly leaf: AuditLeaf;
  readonly leafHash: LeafHash;
  readonly checkpoint: SignedCheckpoint;
  readonly root: RootHash;
  /** Epoch of the log whose checkpoint it is, and the leaf with which that epoch begins: 1 and 0 unless the log was restored. */
  readonly epoch: { readonly number: number; readonly start: number };
  /** The body, shown to be the one that the leaf commits to; undefined when the proof does not disclose it. */
  readonly body: string | undefined;
  /** Whether the log's key came from outside the proof. Otherwise the proof only agrees with the key that it carries. */
  readonly keyFromOutside: boolean;
}

/** The longest proof that is parsed, in bytes of JSON. */
export const MAX_PROOF_BYTES = 1_048_576;

/**
 * Verifies a proof on its own: checkpoint signature, inclusion, body.
 * @param input the parsed JSON of a proof, not trusted
 * @param outsideVkey the log's key as its owner, an anchor or a peer states it, of whichever epoch; without it, the key in the
 * proof is used
 * @returns what was shown; throws AUDIT_PROOF_INVALID, AUDIT_VKEY_INVALID, AUDIT_NOTE_INVALID, AUDIT_CHECKPOINT_INVALID,
 * AUDIT_INCLUSION_INVALID or AUDIT_LEAF_INVALID
 */
export function verifyAuditProof(input: unknown, outsideVkey?: string): VerifiedAuditProof {
  const proof = parseAuditProof(input);
  const key = parseVerifierKey(proof.vkey);
  if (outsideVkey !== undefined && !isKeyOfLog(outsideVkey, proof.vkey))
    refuse('it was made under another key than the given one');
  const checkpoint = verifyCheckpoint(proof.checkpoint, key);
  if (checkpoint.size !== proof.size) refuse('the size is not that of the checkpoint');
  const bytes = utf8ToBytes(proof.leaf);
  const hash = leafHash(bytes);
  verifyInclusion({ index: proof.index, hash }, proof.path.map(hexToBytes), checkpoint);
  const leaf = parseAuditLeaf(bytes);
  const { number, start } = parseOrigin(checkpoint.origin);
  return {
    index: proof.index,
    leaf,
    leafHash: bytesToHex(hash) as LeafHash,
    checkpoint,
    root: bytesToHex(checkpoint.root) as RootHash,
    epoch: { number, start },
    body: openBody(proof, leaf),
    keyFromOutside: outsideVkey !== undefined,
  };
}

function openBody(proof: AuditProof, leaf: AuditLeaf): string | undefined {
  if (proof.body === undefined || proof.salt === undefined) return undefined;
  const [salt, body] = [parseBase64(proof.salt), parseBase64(proof.body)];
  if (salt.length !== BODY_SALT_BYTES || bodyHash(salt, body) !== leaf.bodyHash)
    refuse('the body is not the one that the leaf commits to');
  return parseUtf8(body) ?? refuse('the body is not UTF-8');
}

/** Parses a proof's shape; throws AUDIT_PROOF_INVALID. */
function parseAuditProof(input: unknown): AuditProof {
  if (typeof input !== 'object' || input === null) return refuse('it is not an object');
  const { v, kind, index, size, leaf, path, checkpoint, vkey, salt, body, ...rest } = input as Record<string, unknown>;
  if (v !== 1 || kind !== 'nectar-audit-proof' || Object.keys(rest).length > 0)
    return refuse('it is not an audit proof of version 1');
  if (!isSize(index) || !isSize(size)) return refuse('index or size is not a number');
  if (typeof leaf !== 'string' || typeof checkpoint !== 'string' || typeof vkey !== 'string')
    return refuse('a field is missing');
  if (!Array.isArray(path) || path.length > MAX_PROOF_HASHES || !path.every(isHashHex))
    return refuse('the path is malformed');
  const proof: AuditProof = { v, kind, index, size, leaf, path, checkpoint, vkey };
  if (salt === undefined && body === undefined) return proof;
  if (typeof salt !== 'string' || typeof body !== 'string') return refuse('salt and body belong together');
  return { ...proof, salt, body };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isHashHex(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function refuse(reason: string): never {
  throw new NectarError('AUDIT_PROOF_INVALID', { reason });
}
