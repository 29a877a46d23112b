/**
 * What a party of a dispute asks of the machine that docs/design/0031 defines: state hashes at steps of one iteration, and the
 * witness of one step. Positions are counts of steps from s_0: state n is the one after n steps, and n goes up to 2^40.
 */
import type { OpenedState } from '../../protocol/dispute/machine-state.ts';
import type { Preimages, Read } from '../../protocol/dispute/step.ts';
import type { StepOpening } from '../../protocol/dispute/step-opening.ts';

/** Points of a move. */
export const POINTS = 32;
/** Steps of an iteration: its end is the state after so many. A machine that has halted repeats itself until there. */
export const ITERATION_STEPS = 2n ** 40n;

/** One iteration of F: all that decides a run of the machine besides its image. */
export interface Iteration {
  /** I, 32 bytes. */
  readonly input: Uint8Array;
  /** By the kinds 0 and 1 of 0031; keys are recovered by the tracer. Throws ROLLUP_PREIMAGE_MISSING for what it has not. */
  readonly preimages: Preimages;
}

/** A leaf of memory with its 28 siblings, the lowest first. */
export interface WitnessLeaf {
  /** Byte address, a multiple of 16. */
  readonly address: number;
  /** Before the step. */
  readonly leaf: bigint;
  /** After the step; equal to `leaf` where the step writes nothing. */
  readonly after: bigint;
  readonly path: readonly bigint[];
}

/** One step, opened: what the circuit and the verifier in Solidity take. */
export interface StepWitness {
  readonly pre: OpenedState;
  readonly post: OpenedState;
  /** Before the step: x0 to x31, pc, the memory's root. */
  readonly registers: Uint32Array;
  readonly pc: number;
  readonly memoryRoot: bigint;
  readonly postRegisters: Uint32Array;
  readonly postPc: number;
  readonly postMemoryRoot: bigint;
  /**
   * The leaves that the step touches, in the order of its accesses: the instruction's; what a load reads, or the two of a key; last
   * what is written. A store's is there once, read and written; what a call writes to is an entry of its own, even where an earlier
   * one has the same address. Each path is under the root before the step; since a step writes one leaf at most, a written leaf's
   * path leads to the root after it too. A halted machine touches none.
   */
  readonly leaves: readonly WitnessLeaf[];
  /** The three places that the circuit opens in every step, whether it needs them or not; of a halted machine too. */
  readonly opening: StepOpening;
  /** Undefined for a step that asked nothing. */
  readonly read: Read | undefined;
  /** What L1 checks `read` by at the close: the whole preimage; of a recovery (kind 2) the 128 bytes of its input. */
  readonly preimage: Uint8Array | undefined;
}

type Awaitable<T> = T | Promise<T>;

/** A run of one iteration that can be asked for any step. Answers come at once here, and as promises from a thread. */
export interface StepTracer {
  /**
   * Hashes of the 32 states after `fromStep` + width, + 2 width, to + 32 width: the points of a move of the rounds 5 to 12.
   * @throws what `preimages` throws
   */
  tracePoints(fromStep: bigint, width: bigint): Awaitable<readonly Uint8Array[]>;
  /** The state after `step` steps, as L1 opens it. */
  openAt(step: bigint): Awaitable<OpenedState>;
  /** The step that leads from state `step` to state `step` + 1. */
  witnessAt(step: bigint): Awaitable<StepWitness>;
  /** Ends the run and gives its memory back. */
  close(): Awaitable<void>;
}
