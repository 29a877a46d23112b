/**
 * The CIDs that the network speaks: CIDv1, raw (0x55) or dag-pb (0x70), sha2-256. On the wire 36 bytes, in text base32
 * lower case (multiformats CID specification). Nothing else is taken, so a CID has one text and one encoding.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { base32 } from 'multiformats/bases/base32';
import type { Cid } from '../brand.ts';
import { NectarError } from '../errors.ts';

/** Bytes of an encoded CID: version, codec, hash code, hash length, 32 bytes of SHA-256. */
export const CID_BYTES = 36;

const CID_TEXT_LENGTH = 59;
const VERSION = 0x01;
const RAW = 0x55;
const DAG_PB = 0x70;
const SHA2_256 = 0x12;
const DIGEST_BYTES = 32;

/** Parses 36 bytes. Throws NETWORK_CID_INVALID. */
export function parseCid(bytes: Uint8Array): Cid {
  if (bytes.length !== CID_BYTES) throw invalid(`${bytes.length} bytes, not ${CID_BYTES}`);
  if (bytes[0] !== VERSION) throw invalid('not version 1');
  if (bytes[1] !== RAW && bytes[1] !== DAG_PB) throw invalid('codec is neither raw nor dag-pb');
  if (bytes[2] !== SHA2_256 || bytes[3] !== DIGEST_BYTES) throw invalid('hash is not sha2-256');
  return base32.encode(bytes) as Cid;
}

/** The 36 bytes of a CID. Throws NETWORK_CID_INVALID, also for a text that is not the canonical one. */
export function encodeCid(text: string): Uint8Array {
  if (text.length !== CID_TEXT_LENGTH) throw invalid(`${text.length} characters, not ${CID_TEXT_LENGTH}`);
  let bytes: Uint8Array;
  try {
    bytes = base32.decode(text);
  } catch (cause) {
    throw invalid('not base32', cause);
  }
  if (parseCid(bytes) !== text) throw invalid('not the canonical text');
  return bytes;
}

/** SHA-256, injected where a host has a native one: 1 MiB blocks make it felt. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Returns the bytes that hash to their CID. Throws NETWORK_BLOCK_MISMATCH: the peer is not asked again for this block. */
export function verifyBlock(cid: Cid, bytes: Uint8Array, hash: Sha256 = sha256): Uint8Array {
  const expected = encodeCid(cid).subarray(CID_BYTES - DIGEST_BYTES);
  const actual = hash(bytes);
  if (!expected.every((byte, index) => byte === actual[index]))
    throw new NectarError('NETWORK_BLOCK_MISMATCH', { cid });
  return bytes;
}

function invalid(problem: string, cause?: unknown): NectarError<'NETWORK_CID_INVALID'> {
  return new NectarError('NETWORK_CID_INVALID', { problem }, { cause });
}
