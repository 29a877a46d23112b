/**
 * The daily question to a holder: forty leaves over all bytes that it keeps for an owner, drawn by a seed that nobody knew when the set
 * was fixed, and its answer, which the owner verifies against R.
 *
 *   answer = version (1 byte: 1) | count (1) | count times: leaf (256) | hashes of the path (1) | path (32 each)
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { HASH_BYTES, isLeafOf, LEAF_BYTES, type LeafProof, MAX_SHARD_BYTES, treeDepth } from '../coding/shard-tree.ts';
import { NectarError } from '../errors.ts';
import { type HeldShard, locateLeaf, type ShardSet } from './shard-set.ts';

/** Leaves of a daily audit. */
export const AUDIT_LEAVES = 40;
const VERSION = 1;
const HEAD_BYTES = 2;
const MAX_PATH = treeDepth(MAX_SHARD_BYTES);
/** No answer is longer: what is, is not read. */
export const MAX_ANSWER_BYTES = HEAD_BYTES + AUDIT_LEAVES * (LEAF_BYTES + 1 + MAX_PATH * HASH_BYTES);

/**
 * The seed of an epoch: keccak256(randomness | deal | epoch (8 bytes, big endian)).
 * @param randomness RANDAO of an L1 block after the set root of the epoch was fixed, 32 bytes
 * @param deal what names owner and holder, 32 bytes
 */
export function auditSeed(randomness: Uint8Array, deal: Uint8Array, epoch: number): Uint8Array {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(epoch));
  return keccak_256(concatBytes(randomness, deal, number));
}

/**
 * Places among all leaves of a set, each as likely (but for 2^-64 of the set's size), independent of one another: question i is
 * keccak256(seed | i (4 bytes)), its first 16 bytes modulo the number of leaves.
 * @throws CODING_INPUT_INVALID for an empty set
 */
export function auditPlaces(seed: Uint8Array, leaves: number, count: number = AUDIT_LEAVES): number[] {
  if (!Number.isSafeInteger(leaves) || leaves < 1)
    throw new NectarError('CODING_INPUT_INVALID', { field: 'leaves', problem: `${leaves} leaves cannot be audited` });
  return Array.from({ length: count }, (_, index) => {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, index);
    const digest = keccak_256(concatBytes(seed, number));
    const view = new DataView(digest.buffer, digest.byteOffset);
    return Number(((view.getBigUint64(0) << 64n) | view.getBigUint64(8)) % BigInt(leaves));
  });
}

/** What a holder says: a proof for each place, by what it finds of the shard. */
export function answerAudit(
  set: ShardSet,
  seed: Uint8Array,
  prove: (shard: HeldShard, leaf: number) => LeafProof,
): Uint8Array {
  const proofs = auditPlaces(seed, set.leaves).map((place) => {
    const { shard, leaf } = locateLeaf(set, place);
    return prove(shard, leaf);
  });
  return encodeAuditAnswer(proofs);
}

/** The answer of AUDIT_LEAVES proofs, in the order of the questions. */
export function encodeAuditAnswer(proofs: readonly LeafProof[]): Uint8Array {
  const parts = proofs.map(({ leaf, path }) => concatBytes(leaf, Uint8Array.of(path.length), ...path));
  return concatBytes(Uint8Array.of(VERSION, proofs.length), ...parts);
}

/** AUDIT_LEAVES proofs, none of them judged. @throws CODING_AUDIT_ANSWER_INVALID for what has another shape */
export function parseAuditAnswer(bytes: Uint8Array): LeafProof[] {
  const refuse = (problem: string): NectarError => new NectarError('CODING_AUDIT_ANSWER_INVALID', { problem });
  if (bytes.length > MAX_ANSWER_BYTES) throw refuse(`${bytes.length} bytes are more than ${MAX_ANSWER_BYTES}`);
  const [version, count] = bytes;
  if (version !== VERSION) throw refuse('another version');
  if (count !== AUDIT_LEAVES) throw refuse('another number of leaves');
  const proofs: LeafProof[] = [];
  let at = HEAD_BYTES;
  for (let i = 0; i < AUDIT_LEAVES; i++) {
    const hashes = bytes[at + LEAF_BYTES] ?? Number.POSITIVE_INFINITY;
    const start = at + LEAF_BYTES + 1;
    const end = start + hashes * HASH_BYTES;
    if (hashes > MAX_PATH || end > bytes.length) throw refuse('it ends within a proof');
    const path = Array.from({ length: hashes }, (_, j) =>
      bytes.subarray(start + j * HASH_BYTES, start + (j + 1) * HASH_BYTES),
    );
    proofs.push({ leaf: bytes.subarray(at, at + LEAF_BYTES), path });
    at = end;
  }
  if (at !== bytes.length) throw refuse('bytes after its end');
  return proofs;
}

/**
 * Shards whose leaves are not those that were stored: none after an audit that is passed.
 * @throws CODING_AUDIT_ANSWER_INVALID for what is no answer: it counts as wrong as well, of no shard in particular
 */
export function verifyAudit(set: ShardSet, seed: Uint8Array, answer: Uint8Array): HeldShard[] {
  const proofs = parseAuditAnswer(answer);
  const wrong = new Set<HeldShard>();
  for (const [index, place] of auditPlaces(seed, set.leaves).entries()) {
    const { shard, leaf } = locateLeaf(set, place);
    const proof = proofs[index];
    if (proof === undefined || !isLeafOf({ root: shard.root, shardBytes: shard.bytes }, leaf, proof)) wrong.add(shard);
  }
  return [...wrong];
}

/** The chance that an audit asks for a leaf that is not there, when this part of all leaves is lost. */
export function chanceToFind(lostPart: number, leaves: number = AUDIT_LEAVES): number {
  return 1 - (1 - lostPart) ** leaves;
}
