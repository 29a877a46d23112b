import { hash } from 'node:crypto';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createDigest } from 'multiformats/hashes/digest';
import { sha256 as sha256Codec } from 'multiformats/hashes/sha2';
import type { Cid } from '../../protocol/brand.ts';

/** base32 of version, codec, sha2-256 and 32 bytes: 59 characters. */
const CID_TEXT = /^b[a-z2-7]{58}$/;

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** Version 1, raw, sha2-256, 32 bytes. */
const RAW_PREFIX = [1, raw.code, sha256Codec.code, 32];

export function rawCid(bytes: Uint8Array): CID {
  return rawCidOf(sha256(bytes));
}

/** Of a block whose SHA-256 is known. */
export function rawCidOf(digest: Uint8Array): CID {
  return CID.createV1(raw.code, createDigest(sha256Codec.code, digest));
}

/** The same as text, for the many that are nothing but text: v1, raw, sha2-256 of 32 bytes. */
export function rawCidText(digest: Uint8Array): Cid {
  let text = 'b';
  let bits = 0;
  let value = 0;
  for (let i = 0; i < RAW_PREFIX.length + digest.length; i++) {
    value = (value << 8) | ((i < RAW_PREFIX.length ? RAW_PREFIX[i] : digest[i - RAW_PREFIX.length]) ?? 0);
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31];
    value &= 0xff;
  }
  if (bits > 0) text += BASE32[(value << (5 - bits)) & 31];
  return text as Cid;
}

export function dagPbCid(bytes: Uint8Array): CID {
  return CID.createV1(dagPb.code, createDigest(sha256Codec.code, sha256(bytes)));
}

export function cidText(cid: CID): Cid {
  return cid.toString() as Cid;
}

/** A CID of the only kind that we make: v1, raw or dag-pb, sha2-256; undefined for any other text. */
export function parseCid(text: string): CID | undefined {
  if (!CID_TEXT.test(text)) return undefined;
  try {
    const cid = CID.parse(text);
    const known = (cid.code === raw.code || cid.code === dagPb.code) && cid.multihash.code === sha256Codec.code;
    return known && cid.toString() === text ? cid : undefined;
  } catch {
    return undefined;
  }
}

/** The 32 random bytes that a shard's id stands for. */
export function shardIdBytes(id: Cid): Uint8Array {
  return Uint8Array.from(parseCid(id)?.multihash.digest ?? []);
}

/** SHA-256 of the block that a CID names, hex; empty for what is no CID of ours. */
export function cidDigest(text: string): string {
  return Buffer.from(parseCid(text)?.multihash.digest ?? []).toString('hex');
}

/** Whether the bytes are the block that the CID names. */
export function isBlockOf(cid: Cid, bytes: Uint8Array): boolean {
  const parsed = parseCid(cid);
  return parsed !== undefined && Buffer.compare(sha256(bytes), parsed.multihash.digest) === 0;
}

export function isDagPb(cid: Cid): boolean {
  return parseCid(cid)?.code === dagPb.code;
}

export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}
