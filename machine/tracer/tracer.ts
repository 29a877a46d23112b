/** Runs one iteration of a dispute and answers for any of its states (docs/design/0031). In this thread; one run, one memory. */
import {
  FLAG_RUN,
  type MachineState,
  type OpenedState,
  openState,
  stateHash,
} from '../../protocol/dispute/machine-state.ts';
import { createHart, type Hart, type HartState } from './hart.ts';
import { createTracedMemory, type PageSnapshot, type TracedMemory } from './hashed-memory.ts';
import { type Oracle, openOracle } from './oracle.ts';
import type { Poseidon2 } from './poseidon2.ts';
import type { TranslatedImage } from './translate.ts';
import { ITERATION_STEPS, type Iteration, POINTS, type StepTracer, type StepWitness } from './types.ts';
import { witnessStep } from './witness.ts';

interface Snapshot {
  readonly step: number;
  readonly hart: HartState;
  readonly pages: PageSnapshot;
  readonly isTextAltered: boolean;
}

/** Of one range, and the start. */
const MAX_SNAPSHOTS = POINTS + 2;

/** What a memory holds before the first step, hashed once for all runs of an image. */
const firstPages = new WeakMap<TranslatedImage, PageSnapshot>();

export interface TracerParts {
  readonly image: TranslatedImage;
  readonly poseidon2: Poseidon2;
}

/** A tracer whose answers come at once. */
export interface LocalTracer extends StepTracer {
  tracePoints(fromStep: bigint, width: bigint): readonly Uint8Array[];
  openAt(step: bigint): OpenedState;
  witnessAt(step: bigint): StepWitness;
  close(): void;
  /** Steps until the machine halts, or undefined when it has not within `limit`. */
  countSteps(limit: bigint): bigint | undefined;
}

export function createTracer({ image, poseidon2 }: TracerParts, { input, preimages }: Iteration): LocalTracer {
  let oracle: Oracle | undefined;
  const hart: Hart = createHart(image, {
    input,
    preimagesOf: (own) => {
      oracle = openOracle(own, preimages);
      return oracle.find;
    },
  });
  const memory: TracedMemory = createTracedMemory(hart.memory, poseidon2, firstPages.get(image));
  let at = 0;
  const first = takeSnapshot();
  firstPages.set(image, first.pages);
  let snapshots: Snapshot[] = [first];

  function takeSnapshot(): Snapshot {
    const { isTextAltered } = hart.memory;
    return { step: at, hart: hart.state(), pages: memory.snapshot(), isTextAltered: isTextAltered() };
  }

  function restore(snapshot: Snapshot): void {
    memory.restore(snapshot.pages);
    hart.memory.setTextAltered(snapshot.isTextAltered);
    hart.setState(snapshot.hart);
    at = snapshot.step;
  }

  /** A halted machine repeats itself: it is where one wants it. */
  function goTo(step: number): void {
    const isHalted = hart.state().flag !== FLAG_RUN;
    const nearest = snapshots.findLast((snapshot) => snapshot.step <= step) ?? first;
    if (step < at || (nearest.step > at && !isHalted)) restore(nearest);
    try {
      hart.run(step - at);
    } catch (error) {
      // The oracle had no answer: what the hart holds is between two steps.
      restore(nearest);
      throw error;
    }
    at = step;
  }

  function state(): MachineState {
    return { ...hart.state(), memory, input };
  }

  /** What lies outside of the range is not asked for again, its start apart. */
  function forget(from: number): void {
    const base = snapshots.findLast(({ step }) => step <= from);
    snapshots = base === undefined || base === first ? [first] : [first, base];
  }

  function keep(): void {
    if (snapshots.length < MAX_SNAPSHOTS && (snapshots.at(-1)?.step ?? 0) < at) snapshots.push(takeSnapshot());
  }

  return {
    tracePoints(fromStep, width) {
      const [from, step] = [numberOf(fromStep), numberOf(width)];
      forget(from);
      goTo(from);
      keep();
      let last: Uint8Array | undefined;
      return Array.from({ length: POINTS }, (_, index) => {
        const isHalted = hart.state().flag !== FLAG_RUN;
        goTo(numberOf(BigInt(from) + BigInt(index + 1) * BigInt(step)));
        if (isHalted && last !== undefined) return last;
        last = stateHash(openState(state()));
        keep();
        return last;
      });
    },
    openAt(step) {
      goTo(numberOf(step));
      return openState(state());
    },
    witnessAt(step) {
      goTo(numberOf(step));
      const witness = witnessStep(hart, memory, { input, preimageOf: (read) => oracle?.evidenceOf(read) });
      at += 1;
      return witness;
    },
    close() {
      snapshots = [];
    },
    countSteps(limit) {
      goTo(0);
      const made = hart.run(numberOf(limit));
      at = made;
      return hart.state().flag === FLAG_RUN ? undefined : BigInt(made);
    },
  };
}

function numberOf(step: bigint): number {
  if (step < 0n || step > ITERATION_STEPS) throw new RangeError(`an iteration has no step ${step}`);
  return Number(step);
}
