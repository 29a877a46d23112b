import { type BlockHeader, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { type CallOutcome, type CallRequest, simulate } from '../execute/simulate.ts';
import type { EvmAnswer, EvmTask } from './evm-calls.ts';

export interface EvmState {
  readonly state: Pick<StateByHash, 'get'>;
  readonly rules: Rules;
}

const MIN_GAS = 21_000n;
/** The estimate may be this much (in thousandths) above the least gas that works; each further halving costs a whole run. */
const ESTIMATE_SLACK_PER_MILLE = 15n;

/** Does a task on this thread. */
export async function runTask({ kind, request, header }: EvmTask, on: EvmState): Promise<EvmAnswer> {
  const block = createBlockHeaderFromRLP(header, { common: on.rules });
  return kind === 'call' ? simulate(request, block, on) : estimate(request, block, on);
}

async function estimate(request: CallRequest, header: BlockHeader, on: EvmState): Promise<EvmAnswer> {
  const attempt = (gas: bigint): Promise<CallOutcome> => simulate({ ...request, gas }, header, on);
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
