import type { Hex } from '../../../protocol/brand.ts';
import { type Assertion, type GlobalState, isSameState } from './assertion.ts';
import type { AssertionBook } from './assertion-book.ts';
import type { DerivedState, DeriveState } from './derived-state.ts';

/** What an assertion says beside what this node derived from the same batches. */
export interface FalseAssertion {
  readonly nodeId: Hex;
  readonly parent: Hex;
  readonly stakeId: bigint;
  readonly l1Number: bigint;
  readonly asserted: GlobalState;
  /** Undefined: no batch has a block at that place, or only what the assertion builds upon is false. */
  readonly derived: DerivedState | undefined;
  readonly reason: 'state' | 'no such state' | 'parent';
}

export type Verdict =
  | { readonly kind: 'right'; readonly block: bigint }
  | { readonly kind: 'false'; readonly evidence: FalseAssertion };

/** Compares every assertion with the own chain. An id binds its batches, so a verdict holds for good. */
export interface Judge {
  /** Judges what of the book is not judged yet; what is not derived yet stays open. */
  judge(book: AssertionBook): Promise<void>;
  verdictOf(nodeId: Hex): Verdict | undefined;
}

export function createJudge(derive: DeriveState): Judge {
  let verdicts = new Map<Hex, Verdict>();

  async function judgeOne(node: Assertion, parent: Verdict | undefined): Promise<Verdict | undefined> {
    const { nodeId, stakeId, l1Number, state } = node;
    const derived = await derive(state);
    if (derived === undefined) return undefined;
    const facts = { nodeId, parent: node.parent, stakeId, l1Number, asserted: state };
    if (derived === 'no such state')
      return { kind: 'false', evidence: { ...facts, derived: undefined, reason: 'no such state' } };
    if (!isSameState(derived, state)) return { kind: 'false', evidence: { ...facts, derived, reason: 'state' } };
    if (parent?.kind === 'false')
      return { kind: 'false', evidence: { ...facts, derived: undefined, reason: 'parent' } };
    return { kind: 'right', block: derived.block };
  }

  return {
    async judge(book) {
      const kept = new Map<Hex, Verdict>();
      // Parents come before their children: the book is in the order of L1's logs.
      for (const node of book.assertions.values()) {
        const verdict = verdicts.get(node.nodeId) ?? (await judgeOne(node, kept.get(node.parent)));
        if (verdict !== undefined) kept.set(node.nodeId, verdict);
      }
      verdicts = kept;
    },
    verdictOf: (nodeId) => verdicts.get(nodeId),
  };
}
