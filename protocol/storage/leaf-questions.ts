/** Leaves of shards that are asked for by name, so that owner and holder need not agree on a set: what a holder lacks it says. */
import { isLeafOf, type LeafProof } from '../coding/shard-tree.ts';
import { AUDIT_LEAVES, auditPlaces, parseAuditAnswer } from './audit.ts';
import { type HeldShard, locateLeaf, type ShardSet } from './shard-set.ts';

export interface LeafQuestion {
  readonly shard: HeldShard;
  readonly leaf: number;
}

/** The questions of an audit: leaves over all bytes of the set, drawn by the seed. @throws CODING_INPUT_INVALID for an empty set */
export function drawLeaves(set: ShardSet, seed: Uint8Array, count: number = AUDIT_LEAVES): LeafQuestion[] {
  return auditPlaces(seed, set.leaves, count).map((place) => locateLeaf(set, place));
}

/**
 * Shards whose leaves are not those that were stored: none after an audit that is passed.
 * @throws CODING_AUDIT_ANSWER_INVALID for what is no answer to so many questions
 */
export function verifyLeaves(questions: readonly LeafQuestion[], answer: Uint8Array): HeldShard[] {
  const proofs: readonly LeafProof[] = parseAuditAnswer(answer);
  const wrong = new Set<HeldShard>();
  for (const [index, { shard, leaf }] of questions.entries()) {
    const proof = proofs[index];
    if (proof === undefined || !isLeafOf({ root: shard.root, shardBytes: shard.bytes }, leaf, proof)) wrong.add(shard);
  }
  return [...wrong];
}
