import { type BlockHeader, createBlockFromRLP, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { replayBlock } from '../execute/replay.ts';
import { type CallOutcome, listAccesses, simulate, traceCall } from '../execute/simulate.ts';
import { TraceTooLarge } from '../execute/trace/tracer.ts';
import type { EvmAnswer, EvmTask, TriedCall } from './evm-calls.ts';
import { simulateBlocks } from './simulate-blocks.ts';

export interface EvmState {
  readonly state: Pick<StateByHash, 'get'>;
  readonly rules: Rules;
}

const MIN_GAS = 21_000n;
/** The estimate may be this much (in thousandths) above the least gas that works; each further halving costs a whole run. */
const ESTIMATE_SLACK_PER_MILLE = 15n;

/** Does a task on this thread. */
export async function runTask(task: EvmTask, on: EvmState): Promise<EvmAnswer> {
  try {
    if (task.kind === 'simulate') return await simulateBlocks(task, on);
    return await (task.kind === 'replay' ? replay(task, on) : tryCall(task, on));
  } catch (error) {
    if (error instanceof TraceTooLarge) return { kind: 'tooLarge', reason: error.message };
    throw error;
  }
}

async function tryCall(task: Exclude<EvmTask, { kind: 'replay' | 'simulate' }>, on: EvmState): Promise<EvmAnswer> {
  const { request, overrides } = task;
  const header = createBlockHeaderFromRLP(task.header, { common: on.rules });
  switch (task.kind) {
    case 'call':
      return simulate(request, header, { ...on, overrides });
    case 'estimate':
      return estimate(task, header, on);
    case 'accessList':
      return listAccesses(request, header, { ...on, overrides });
    case 'trace':
      return traceCall(request, header, { ...on, overrides, trace: task.trace });
  }
}

async function replay(task: Extract<EvmTask, { kind: 'replay' }>, on: EvmState): Promise<EvmAnswer> {
  const { rules } = on;
  const previous = createBlockHeaderFromRLP(task.previous, { common: rules });
  const block = createBlockFromRLP(task.block, { common: rules });
  const traces = await replayBlock({ previous, block, only: task.only }, { ...on, trace: task.trace });
  return { kind: 'replayed', traces };
}

async function estimate({ request, overrides }: TriedCall, header: BlockHeader, on: EvmState): Promise<EvmAnswer> {
  const attempt = (gas: bigint): Promise<CallOutcome> => simulate({ ...request, gas }, header, { ...on, overrides });
  const whole = await attempt(request.gas);
  if (whole.kind !== 'ok') return whole;
  let tooLittle = whole.gasUsed - 1n;
  let enough = request.gas;
  // Most calls need what they used, plus what the 63/64 rule (EIP-150) and the call stipend withhold.
  let guess = ((whole.gasUsed + 2_300n) * 64n) / 63n;
  if (request.data === '0x' && whole.gasUsed === MIN_GAS) guess = MIN_GAS;
  while (tooLittle + 1n < enough && enough - tooLittle > (enough * ESTIMATE_SLACK_PER_MILLE) / 1000n) {
    const gas = guess > tooLittle && guess < enough ? guess : (tooLittle + enough) / 2n;
    if ((await attempt(gas)).kind === 'ok') enough = gas;
    else tooLittle = gas;
    guess = (tooLittle + enough) / 2n;
  }
  return { kind: 'estimated', gas: enough };
}
