/** What the chain learns of a record version: a salted hash, linkable to nothing without the salt. */
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Cid, RecordId } from '../brand.ts';
import { uint32 } from './uint32.ts';

/** Bytes of the salt: a full-entropy secret, so that nobody can test guesses against an anchored commitment. */
export const COMMITMENT_SALT_BYTES = 32;

/** One hash state for all, see merkle/hash.ts. */
const fresh = sha256.create();
const hasher = sha256.create();

/**
 * SHA-256(salt(32) | recordId(16) | version(4, big-endian) | cid (ASCII, base32 text form)): 32 bytes. The salt stays in
 * the sealed index; whoever is shown (salt, recordId, version, cid) can check the anchor.
 */
export function recordCommitment(input: {
  readonly salt: Uint8Array;
  readonly recordId: RecordId;
  readonly version: number;
  readonly cid: Cid;
}): Uint8Array {
  if (input.salt.length !== COMMITMENT_SALT_BYTES) throw new RangeError('commitment salt is not 32 bytes');
  return fresh
    ._cloneInto(hasher)
    .update(input.salt)
    .update(hexToBytes(input.recordId))
    .update(uint32(input.version))
    .update(utf8ToBytes(input.cid))
    .digest();
}
