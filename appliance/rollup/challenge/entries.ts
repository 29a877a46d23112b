import type { StepWitness } from '../../../machine/tracer/types.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { Move, Openings, SignedMove } from '../../../protocol/dispute/move.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { ChallengeAction } from './next-action.ts';
import { firstMove, replyTo } from './reply.ts';
import type { ChallengeRecord, Rivalry } from './rivalry.ts';
import type { Truth } from './truth.ts';

/** What this node puts on L1 in a challenge. */
export type Entry =
  | { readonly kind: 'open'; readonly rivalry: Rivalry; readonly move: Move }
  | {
      readonly kind: 'answer';
      readonly rivalry: Rivalry;
      readonly on: Answered;
      readonly move: Move;
      readonly openings: Openings | undefined;
    }
  | {
      readonly kind: 'settle';
      readonly rivalry: Rivalry;
      readonly on: Answered;
      readonly choice: number;
      readonly witness: StepWitness;
      readonly preimage: Uint8Array;
      readonly proof: Uint8Array;
    }
  | { readonly kind: 'timeout'; readonly rivalry: Rivalry };

/** The message that an entry answers. */
export interface Answered {
  readonly move: Move;
  /** The opponent's; `0x` when the move is the position on L1. */
  readonly signature: Hex;
}

export type ProveStep = (
  witness: StepWitness,
  rivalry: Rivalry,
) => Promise<{ readonly proof: Uint8Array; readonly preimage: Uint8Array }>;

export interface EntryDeps {
  readonly truth: Truth;
  /** False: this node has no machine, and opens what it could not finish for nobody. */
  readonly canFinish: boolean;
  /** Proves one step, and shows what L1 recomputes of its read. Rejects where this node cannot. */
  readonly prove: ProveStep;
  /** Rejects where this node could not prove a step to the verifier of a challenge: it does not begin what it cannot end. */
  readonly requireProver: (rivalry: Rivalry) => Promise<void>;
}

/** Makes what an action puts on L1. Undefined for an action that puts nothing there. */
export async function makeEntry(
  { truth, canFinish, prove, requireProver }: EntryDeps,
  { rivalry, action }: { readonly rivalry: Rivalry; readonly action: ChallengeAction },
  { record, heard }: { readonly record: ChallengeRecord | undefined; readonly heard: SignedMove | undefined },
): Promise<Entry | undefined> {
  if (action.kind === 'open' && !canFinish)
    throw new NectarError('DISPUTE_MACHINE_MISSING', { what: 'machine to trace a block with' });
  if (action.kind === 'open') {
    await requireProver(rivalry);
    return { kind: 'open', rivalry, move: await firstMove(truth, rivalry) };
  }
  if (action.kind === 'timeout') return { kind: 'timeout', rivalry };
  if (action.kind !== 'answer' && action.kind !== 'settle') return undefined;
  const on: Answered | undefined = action.to === 'heard' ? heard : record && { move: record.position, signature: '0x' };
  if (on === undefined) return undefined;
  const reply = await replyTo(truth, rivalry, on.move);
  if (reply.kind === 'move') return { kind: 'answer', rivalry, on, move: reply.move, openings: reply.openings };
  const { choice, witness } = reply;
  return { kind: 'settle', rivalry, on, choice, witness, ...(await prove(witness, rivalry)) };
}
