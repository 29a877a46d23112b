import type { StepTracer, StepWitness } from '../../../machine/tracer/types.ts';
import type { Hex } from '../../../protocol/brand.ts';
import {
  type GlobalState,
  globalStateHash,
  type MachineTask,
  machineInput,
} from '../../../protocol/dispute/global-state.ts';
import { stateHash } from '../../../protocol/dispute/machine-state.ts';
import type { Openings } from '../../../protocol/dispute/move.ts';
import { POINTS } from '../../../protocol/dispute/points.ts';
import { ITERATION_ROUNDS, type Place, STEPS, widthOf } from '../../../protocol/dispute/rounds.ts';
import { firstState } from '../../../protocol/dispute/verify-move.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Rivalry } from './rivalry.ts';

/** What the truth consumes of the node's own chain. */
export interface DisputedChain {
  /** G after so many iterations from another, up to the target; each count in order. Rejects for what is not derived. */
  statesAfter(from: GlobalState, target: bigint, counts: readonly bigint[]): Promise<readonly GlobalState[]>;
  /** SequencerInbox.accumulator of a batch. */
  accumulatorOf(batch: bigint): Promise<Hex>;
}

/** The iteration that begins at a state. */
export interface DisputedIteration {
  readonly rivalry: Rivalry;
  readonly state: GlobalState;
  readonly task: MachineTask;
  /** I, which follows from these. */
  readonly input: Hex;
}

/** Opens the machine's run of an iteration, with all that it may ask. Rejects where this node cannot. */
export type OpenRun = (iteration: DisputedIteration) => Promise<StepTracer>;

/** What is true at a place, from the own chain and the own machine: it believes no message. */
export interface Truth {
  startAt(rivalry: Rivalry, place: Place): Promise<Hex>;
  /** The 32 points of a move at a place. */
  pointsAt(rivalry: Rivalry, place: Place): Promise<readonly Hex[]>;
  /** What L1 says of the iteration that begins at a state. */
  taskAt(rivalry: Rivalry, state: Pick<GlobalState, 'batch'>): Promise<MachineTask>;
  openingsAt(rivalry: Rivalry, iteration: bigint): Promise<Openings>;
  /** The step after so many of an iteration. */
  witnessAt(rivalry: Rivalry, iteration: bigint, step: bigint): Promise<StepWitness>;
  close(): Promise<void>;
}

/** Runs are large: so many are kept, the least used one ends. */
const MAX_RUNS = 2;

export function createTruth(chain: DisputedChain, openRun: OpenRun): Truth {
  const runs = new Map<Hex, Promise<StepTracer>>();
  let tail: Promise<unknown> = Promise.resolve();

  async function stateAfter({ parent, target }: Rivalry, count: bigint): Promise<GlobalState> {
    const [state] = await chain.statesAfter(parent, target, [count]);
    if (state === undefined) throw new RangeError('the own chain gave no state');
    return state;
  }

  async function taskAt({ target, configHash }: Rivalry, { batch }: Pick<GlobalState, 'batch'>): Promise<MachineTask> {
    const accumulator: Hex = batch === target ? `0x${'00'.repeat(32)}` : await chain.accumulatorOf(batch);
    return { target, accumulator, configHash };
  }

  async function iterationAt(rivalry: Rivalry, iteration: bigint): Promise<DisputedIteration> {
    const state = await stateAfter(rivalry, iteration);
    const task = await taskAt(rivalry, state);
    return { rivalry, state, task, input: machineInput(state, task) };
  }

  /** One at a time: a run that ends must not be asked any more. */
  function withRun<T>(rivalry: Rivalry, iteration: bigint, ask: (run: StepTracer) => T | Promise<T>): Promise<T> {
    const asked = tail.then(async () => {
      const begun = await iterationAt(rivalry, iteration);
      const { input } = begun;
      const run = runs.get(input) ?? openRun(begun);
      runs.delete(input);
      try {
        const opened = await run;
        runs.set(input, run);
        for (const [key, old] of runs) {
          if (runs.size <= MAX_RUNS) break;
          runs.delete(key);
          await (await old).close();
        }
        return await ask(opened);
      } catch (error) {
        runs.delete(input);
        await Promise.resolve(run.then((opened) => opened.close())).catch(() => undefined);
        throw error;
      }
    });
    tail = asked.catch(() => undefined);
    return asked;
  }

  return {
    taskAt,
    async startAt(rivalry, { round, iteration, step }) {
      if (round <= ITERATION_ROUNDS) return globalStateHash(await stateAfter(rivalry, iteration));
      if (step === 0n) return firstState(rivalry.subject.core0, (await iterationAt(rivalry, iteration)).input);
      return withRun(rivalry, iteration, async (run) => bytesToHex(stateHash(await run.openAt(step))));
    },
    async pointsAt(rivalry, { round, iteration, step }) {
      const width = widthOf(round);
      if (round > ITERATION_ROUNDS)
        return withRun(rivalry, iteration, async (run) => (await run.tracePoints(step, width)).map(bytesToHex));
      const counts = Array.from({ length: POINTS }, (_, index) => iteration + width * BigInt(index + 1));
      return (await chain.statesAfter(rivalry.parent, rivalry.target, counts)).map(globalStateHash);
    },
    async openingsAt(rivalry, iteration) {
      const before = await stateAfter(rivalry, iteration);
      return { before, end: await withRun(rivalry, iteration, (run) => run.openAt(STEPS)) };
    },
    witnessAt: (rivalry, iteration, step) => withRun(rivalry, iteration, (run) => run.witnessAt(step)),
    async close() {
      await tail;
      for (const run of runs.values()) await (await run).close();
      runs.clear();
    },
  };
}
