/**
 * The shard protocol: one question, one answer. The bytes of a shard travel as blocks of the block exchange, held under a root that is no
 * hash of anything: 32 random bytes in the form of a CID. What makes them a shard is said here.
 *
 * question  type (1) and
 *             0x01 offer     nothing: what the holder would take
 *             0x02 take      shard id (36) | R (32) | bytes (4) | count (1) | CID of each block (36), in their order
 *             0x03 leaves    40 times: shard id (36) | leaf (4)
 * answer    type (1) and
 *             0x01 offer     free bytes (8), rounded down to a power of two
 *             0x02 taken     nothing: the blocks are durable, in this order they are R
 *             0x03 proofs    the answer of protocol/storage/audit.ts
 *             0x04 refused   the reason (1) | for `absent` the number of the first question whose shard is not here (1)
 */
import { concatBytes } from '@noble/hashes/utils.js';
import type { Cid } from '../brand.ts';
import { HASH_BYTES, LEAF_BYTES, MAX_SHARD_BYTES } from '../coding/shard-tree.ts';
import { AUDIT_LEAVES, MAX_ANSWER_BYTES } from '../storage/audit.ts';
import { CID_BYTES, encodeCid, parseCid } from './block-cid.ts';
import { ByteReader } from './byte-reader.ts';

/** Blocks of a shard: one for each MiB of the longest. */
export const MAX_SHARD_BLOCKS = 64;
export const MAX_SHARD_QUESTION_BYTES = Math.max(
  1 + CID_BYTES + HASH_BYTES + 4 + 1 + MAX_SHARD_BLOCKS * CID_BYTES,
  1 + AUDIT_LEAVES * (CID_BYTES + 4),
);
export const MAX_SHARD_ANSWER_BYTES = 1 + MAX_ANSWER_BYTES;

/** `wrong`: the blocks are not R. `absent`: a block, or a shard that was asked for, is not here. */
export const SHARD_REFUSALS = ['absent', 'wrong', 'quota', 'busy', 'failed', 'stranger'] as const;
export type ShardRefusal = (typeof SHARD_REFUSALS)[number];

/** A shard that a holder is to keep, whose blocks it has. */
export interface ShardToTake {
  readonly id: Cid;
  /** R, 32 bytes. */
  readonly root: Uint8Array;
  readonly bytes: number;
  /** In their order. */
  readonly blocks: readonly Cid[];
}

/** One leaf of one shard. */
export interface NamedLeaf {
  readonly id: Cid;
  readonly leaf: number;
}

export type ShardQuestion =
  | { readonly type: 'offer' }
  | ({ readonly type: 'take' } & ShardToTake)
  | { readonly type: 'leaves'; readonly leaves: readonly NamedLeaf[] };

export type ShardAnswer =
  | { readonly type: 'offer'; readonly freeBytes: number }
  | { readonly type: 'taken' }
  | { readonly type: 'proofs'; readonly answer: Uint8Array }
  | { readonly type: 'refused'; readonly reason: ShardRefusal; readonly question?: number };

const QUESTION = { offer: 0x01, take: 0x02, leaves: 0x03 } as const;
const ANSWER = { offer: 0x01, taken: 0x02, proofs: 0x03, refused: 0x04 } as const;
/** Where no question is named. */
const NONE = 0xff;

function fourBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** Free bytes as a holder tells them: exact ones would show each shard that it takes or loses. */
export function roundedFreeBytes(bytes: number): number {
  return bytes < 1 ? 0 : 2 ** Math.floor(Math.log2(bytes));
}

export function encodeShardQuestion(question: ShardQuestion): Uint8Array {
  if (question.type === 'offer') return Uint8Array.of(QUESTION.offer);
  if (question.type === 'leaves') {
    const parts = question.leaves.map(({ id, leaf }) => concatBytes(encodeCid(id), fourBytes(leaf)));
    return concatBytes(Uint8Array.of(QUESTION.leaves), ...parts);
  }
  const { id, root, bytes, blocks } = question;
  const head = concatBytes(Uint8Array.of(QUESTION.take), encodeCid(id), root, fourBytes(bytes));
  return concatBytes(head, Uint8Array.of(blocks.length), ...blocks.map(encodeCid));
}

/** Throws NETWORK_MESSAGE_INVALID or NETWORK_CID_INVALID. */
export function parseShardQuestion(bytes: Uint8Array): ShardQuestion {
  const reader = new ByteReader(bytes, 'shard question');
  const type = reader.u8();
  const u32 = (): number => reader.u16() * 0x10000 + reader.u16();
  if (type === QUESTION.offer) {
    reader.end();
    return { type: 'offer' };
  }
  if (type === QUESTION.leaves) {
    const leaves = Array.from({ length: AUDIT_LEAVES }, () => ({ id: parseCid(reader.take(CID_BYTES)), leaf: u32() }));
    reader.end();
    return { type: 'leaves', leaves };
  }
  if (type !== QUESTION.take) throw reader.invalid('unknown type');
  const id = parseCid(reader.take(CID_BYTES));
  const root = Uint8Array.from(reader.take(HASH_BYTES));
  const length = u32();
  const count = reader.u8();
  if (length < LEAF_BYTES || length > MAX_SHARD_BYTES || length % LEAF_BYTES !== 0)
    throw reader.invalid('length of a shard out of bounds');
  if (count < 1 || count > MAX_SHARD_BLOCKS) throw reader.invalid('count of blocks out of bounds');
  const blocks = Array.from({ length: count }, () => parseCid(reader.take(CID_BYTES)));
  reader.end();
  return { type: 'take', id, root, bytes: length, blocks };
}

export function encodeShardAnswer(answer: ShardAnswer): Uint8Array {
  if (answer.type === 'taken') return Uint8Array.of(ANSWER.taken);
  if (answer.type === 'proofs') return concatBytes(Uint8Array.of(ANSWER.proofs), answer.answer);
  if (answer.type === 'refused')
    return Uint8Array.of(ANSWER.refused, SHARD_REFUSALS.indexOf(answer.reason), answer.question ?? NONE);
  const bytes = new Uint8Array(9);
  bytes[0] = ANSWER.offer;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(answer.freeBytes));
  return bytes;
}

/** Throws NETWORK_MESSAGE_INVALID. Judges nothing of the proofs. */
export function parseShardAnswer(bytes: Uint8Array): ShardAnswer {
  const reader = new ByteReader(bytes, 'shard answer');
  const type = reader.u8();
  if (type === ANSWER.proofs) return { type: 'proofs', answer: Uint8Array.from(reader.rest()) };
  if (type === ANSWER.taken) {
    reader.end();
    return { type: 'taken' };
  }
  if (type === ANSWER.offer) {
    const free = reader.u64();
    reader.end();
    if (free > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.invalid('free bytes out of bounds');
    return { type: 'offer', freeBytes: Number(free) };
  }
  if (type !== ANSWER.refused) throw reader.invalid('unknown type');
  const reason = SHARD_REFUSALS[reader.u8()];
  const question = reader.u8();
  reader.end();
  if (reason === undefined) throw reader.invalid('unknown reason');
  return { type: 'refused', reason, ...(question !== NONE && { question }) };
}
