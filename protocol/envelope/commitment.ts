/** What the chain learns of a record version: a salted hash, linkable to nothing without the salt. */
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Cid, RecordId } from '../brand.ts';

/** Bytes of the salt: a full-entropy secret, so that nobody can test guesses against an anchored commitment. */
export const COMMITMENT_SALT_BYTES = 32;

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
  const version = new Uint8Array(4);
  new DataView(version.buffer).setUint32(0, input.version);
  return sha256
    .create()
    .update(input.salt)
    .update(hexToBytes(input.recordId))
    .update(version)
    .update(utf8ToBytes(input.cid))
    .digest();
}
