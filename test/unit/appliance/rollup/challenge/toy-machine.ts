import type { DisputedChain, OpenRun } from '../../../../../appliance/rollup/challenge/truth.ts';
import type { Iteration, StepTracer, StepWitness } from '../../../../../machine/tracer/types.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { failedState, type GlobalState, globalStateHash } from '../../../../../protocol/dispute/global-state.ts';
import {
  FLAG_RUN,
  type MachineState,
  type OpenedState,
  openState,
  stateHash,
} from '../../../../../protocol/dispute/machine-state.ts';
import { createMemory } from '../../../../../protocol/dispute/memory.ts';
import { POINTS } from '../../../../../protocol/dispute/points.ts';
import { type Preimages, type Read, step } from '../../../../../protocol/dispute/step.ts';
import { bytesToHex, hexToBytes } from '../../../../../protocol/rollup/bytes.ts';
import { hashOf } from '../../../protocol/dispute/samples.ts';

/** A chain of a few batches, and a program of some 70 steps on the machine of disputes that computes F for it. */

const [ZERO, T0, A0, A1, A2, A3, A7] = [0, 5, 10, 11, 12, 13, 17] as const;
const CODE_AT = 0x1000;
const INPUT_AT = 0x2000;
const ANSWER_AT = 0x2020;

const addi = (rd: number, rs1: number, value: number): number =>
  (((value & 0xfff) << 20) | (rs1 << 15) | (rd << 7) | 0x13) >>> 0;
const lui = (rd: number, value: number): number => ((value << 12) | (rd << 7) | 0x37) >>> 0;
/** Jumps when the two differ; the distance is in bytes. */
const bne = (rs1: number, rs2: number, by: number): number =>
  ((((by >> 12) & 1) << 31) |
    (((by >> 5) & 63) << 25) |
    (rs2 << 20) |
    (rs1 << 15) |
    (1 << 12) |
    (((by >> 1) & 15) << 8) |
    (((by >> 11) & 1) << 7) |
    0x63) >>>
  0;
const address = (rd: number, at: number): number[] => [lui(rd, at >>> 12), addi(rd, rd, at & 0xfff)];
const call = (number: number, ...registers: number[][]): number[] => [
  ...registers.flat(),
  addi(A7, ZERO, number),
  0x73,
];
const read = (offset: number): number[] =>
  call(3, [addi(A0, ZERO, 2)], address(A1, INPUT_AT), [addi(A2, ZERO, offset)], address(A3, ANSWER_AT + offset));

const PROGRAM = [
  ...call(2, address(A0, INPUT_AT), [addi(A1, ZERO, 0)]),
  ...call(2, address(A0, INPUT_AT + 16), [addi(A1, ZERO, 1)]),
  addi(T0, ZERO, 10),
  addi(T0, T0, -1),
  bne(T0, ZERO, -4),
  ...read(0),
  // An answer of no length: F fails.
  bne(A0, ZERO, 16),
  ...call(0, [addi(A0, ZERO, 1)]),
  ...read(16),
  ...call(1, address(A0, ANSWER_AT), [addi(A1, ZERO, 0)]),
  ...call(1, address(A0, ANSWER_AT + 16), [addi(A1, ZERO, 1)]),
  ...call(0, [addi(A0, ZERO, 0)]),
];

function emptyMachine(input: Uint8Array): MachineState {
  const bytes = new Uint8Array(Uint32Array.from(PROGRAM).buffer);
  const memory = createMemory([{ address: CODE_AT, bytes }]);
  return { registers: new Uint32Array(32), pc: CODE_AT, memory, input, output: new Uint8Array(32), flag: FLAG_RUN };
}

export const CORE0 = openState(emptyMachine(new Uint8Array(32))).core;
export const CONFIG_HASH = hashOf('config');
const BLOCKS = [3, 0, 1, 40, 2] as const;
/** The batch to which the assertions go. */
export const TARGET = BigInt(BLOCKS.length);
export const GENESIS: GlobalState = {
  blockHash: hashOf('block 0'),
  sendRoot: hashOf('sends 0'),
  batch: 0n,
  offset: 0n,
};
/** Iterations until the target: one a block, and one for the batch without a block, where F fails. */
export const MOVING = BLOCKS.reduce<number>((sum, blocks) => sum + Math.max(blocks, 1), 0);

function nextState(state: GlobalState): GlobalState {
  const blocks = BLOCKS[Number(state.batch)] ?? 0;
  if (blocks === 0) return failedState(state);
  const name = `${state.batch}/${state.offset}`;
  const place =
    Number(state.offset) + 1 < blocks
      ? { batch: state.batch, offset: state.offset + 1n }
      : { batch: state.batch + 1n, offset: 0n };
  return { blockHash: hashOf(`block ${name}`), sendRoot: hashOf(`sends ${name}`), ...place };
}

/** The chain as an honest node has it. */
export const CHAIN: DisputedChain = {
  async statesAfter(from, target, counts) {
    return counts.map((count) => {
      let state = from;
      for (let n = 0n; n < count && state.batch !== target; n++) state = nextState(state);
      return state;
    });
  },
  accumulatorOf: async (batch) => hashOf(`accumulator ${batch}`),
};

function preimagesOf(state: GlobalState, target: bigint): Preimages {
  const next = state.batch === target ? state : nextState(state);
  const fails = state.batch !== target && (BLOCKS[Number(state.batch)] ?? 1) === 0;
  const answer = fails ? new Uint8Array(0) : hexToBytes(globalStateHash(next));
  return () => answer;
}

/** Every state of a run up to the halt, and what each step asked. */
export interface Run {
  readonly states: readonly OpenedState[];
  readonly reads: readonly (Read | undefined)[];
}

const runs = new Map<string, Run>();

export function runOf(input: Uint8Array, preimages: Preimages): Run {
  const known = runs.get(bytesToHex(input));
  if (known !== undefined) return known;
  let state = emptyMachine(input);
  const states = [openState(state)];
  const reads: (Read | undefined)[] = [];
  while (state.flag === FLAG_RUN) {
    const stepped = step(state, preimages);
    state = stepped.state;
    states.push(openState(state));
    reads.push(stepped.read);
  }
  runs.set(bytesToHex(input), { states, reads });
  return { states, reads };
}

/** All runs so far: what the double of L1 knows to be a true step. */
export const knownRuns = (): Iterable<Run> => runs.values();

export function stateAt({ states }: Run, index: bigint): OpenedState {
  const last = BigInt(states.length - 1);
  const state = states[Number(index < last ? index : last)];
  if (state === undefined) throw new RangeError('no such state');
  return state;
}

export const openToyRun: OpenRun = async ({ state, rivalry, input }) =>
  openToyTracer({ input: hexToBytes(input), preimages: preimagesOf(state, rivalry.target) });

function openToyTracer({ input, preimages }: Iteration): StepTracer {
  const run = runOf(input, preimages);
  return {
    tracePoints: (from, width) =>
      Array.from({ length: POINTS }, (_, at) => stateHash(stateAt(run, from + width * BigInt(at + 1)))),
    openAt: (index) => stateAt(run, index),
    witnessAt: (index) => {
      const asked = run.reads[Number(index)];
      // What the player does not look at is not there.
      return {
        pre: stateAt(run, index),
        post: stateAt(run, index + 1n),
        read: asked,
        preimage: undefined,
      } as Partial<StepWitness> as StepWitness;
    },
    close: () => {},
  };
}

export const assertedEnd = async (): Promise<Hex> => {
  const [end] = await CHAIN.statesAfter(GENESIS, TARGET, [2n ** 20n]);
  return globalStateHash(end ?? GENESIS);
};
