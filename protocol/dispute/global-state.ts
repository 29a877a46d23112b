/** G, the point in the execution of L2 that an iteration leads from and to, and what the machine is given (docs/design/0031). */
import type { Hex } from '../brand.ts';
import { hashWords } from './words.ts';

/** A point in the execution of L2. */
export interface GlobalState {
  /** Hash of the last L2 block. */
  readonly blockHash: Hex;
  /** Root of the tree of messages to L1 after that block. */
  readonly sendRoot: Hex;
  /** The batch that is executed next, 64 bits. */
  readonly batch: bigint;
  /** How many of its blocks are executed already, 64 bits. */
  readonly offset: bigint;
}

/** What an iteration is about beside its G: the same for all iterations of a challenge but for the accumulator. */
export interface MachineTask {
  /** The batch at which iterations stand still. */
  readonly target: bigint;
  /** SequencerInbox.accumulator(G.batch), 32 bytes; zero at the target. */
  readonly accumulator: Hex;
  /** Hash of what the machine has to know of the chain. */
  readonly configHash: Hex;
}

const ZERO_WORD: Hex = `0x${'00'.repeat(32)}`;

/** @returns g = keccak256(abi.encode(G)) */
export function globalStateHash({ blockHash, sendRoot, batch, offset }: GlobalState): Hex {
  return hashWords([blockHash, sendRoot, batch, offset]);
}

/** fail(G): what F(G) is when the machine failed or did not halt. */
export function failedState(state: GlobalState): GlobalState {
  return { ...state, batch: state.batch + 1n, offset: 0n };
}

/** @returns I, the machine's input for the iteration that begins at G */
export function machineInput(state: GlobalState, { target, accumulator, configHash }: MachineTask): Hex {
  const { blockHash, sendRoot, batch, offset } = state;
  const read = batch === target ? ZERO_WORD : accumulator;
  return hashWords([blockHash, sendRoot, batch, offset, target, read, configHash]);
}
