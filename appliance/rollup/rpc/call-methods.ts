import type { BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import { type CallOutcome, type CallRequest, simulate } from '../execute/simulate.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { capped, parseAddress, parseBytes, parseHash, parseObject, parseQuantity, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { revertReason } from './revert-reason.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

const ZERO_ADDRESS: Hex = '0x0000000000000000000000000000000000000000';
const MAX_ACCESS_LIST_ITEMS = 1_000;
/** Simulations run on the node's own thread: more at a time would only starve it. */
const MAX_SIMULATIONS = 8;
const MIN_GAS = 21_000n;
/** The estimate may be this much (in thousandths) above the least gas that works; each further halving costs a whole run. */
const ESTIMATE_SLACK_PER_MILLE = 15n;

function parseAccessList(value: unknown): CallRequest['accessList'] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_ACCESS_LIST_ITEMS)
    throw invalidParams('accessList is not a short list');
  return value.map((item) => {
    const { address, storageKeys } = parseObject(item, 'accessList item');
    if (!Array.isArray(storageKeys)) throw invalidParams('storageKeys is not a list');
    return { address: parseAddress(address), storageKeys: storageKeys.map((key) => parseHash(key, 'storage key')) };
  });
}

function optional(value: unknown, name: string): bigint | undefined {
  return value === undefined || value === null ? undefined : parseQuantity(value, name);
}

/** Parses an untrusted call object; gas is capped at the block's limit. */
function parseCall(value: unknown, header: BlockHeader): CallRequest {
  const call = parseObject(value, 'call');
  const gas = optional(call.gas, 'gas') ?? header.gasLimit;
  const gasPrice = optional(call.maxFeePerGas, 'maxFeePerGas') ?? optional(call.gasPrice, 'gasPrice') ?? 0n;
  return {
    from: call.from === undefined || call.from === null ? ZERO_ADDRESS : parseAddress(call.from, 'from'),
    to: call.to === undefined || call.to === null ? undefined : parseAddress(call.to, 'to'),
    gas: capped(gas, header.gasLimit),
    gasPrice,
    value: optional(call.value, 'value') ?? 0n,
    data: parseBytes(call.input ?? call.data ?? '0x', 'data'),
    accessList: parseAccessList(call.accessList),
  };
}

function outcomeError(outcome: CallOutcome): RpcError | undefined {
  if (outcome.kind === 'ok') return undefined;
  if (outcome.kind !== 'reverted') return new RpcError(RPC_CODE.server, outcome.reason);
  const reason = revertReason(outcome.returned);
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
  return new RpcError(RPC_CODE.reverted, message, bytesToHex(outcome.returned));
}

/** Calls and gas estimates: transactions tried on a block's state and forgotten. */
export function createCallMethods(
  view: ChainView,
  { database, rules }: { database: ChainDatabase; rules: Rules },
): RpcMethods {
  let running = 0;

  async function attempt(request: CallRequest, header: BlockHeader): Promise<CallOutcome> {
    if (running >= MAX_SIMULATIONS) throw new RpcError(RPC_CODE.limitExceeded, 'too many calls at a time');
    running += 1;
    try {
      return await simulate(request, header, { state: database, rules });
    } finally {
      running -= 1;
    }
  }

  async function estimate(request: CallRequest, header: BlockHeader): Promise<bigint> {
    const whole = await attempt(request, header);
    const error = outcomeError(whole);
    if (error !== undefined || whole.kind !== 'ok') throw error;
    let tooLittle = whole.gasUsed - 1n;
    let enough = request.gas;
    // Most calls need what they used, plus what the 63/64 rule (EIP-150) and the call stipend withhold.
    let guess = ((whole.gasUsed + 2_300n) * 64n) / 63n;
    if (request.data === '0x' && whole.gasUsed === MIN_GAS) guess = MIN_GAS;
    while (tooLittle + 1n < enough && enough - tooLittle > (enough * ESTIMATE_SLACK_PER_MILLE) / 1000n) {
      const gas = guess > tooLittle && guess < enough ? guess : (tooLittle + enough) / 2n;
      if ((await attempt({ ...request, gas }, header)).kind === 'ok') enough = gas;
      else tooLittle = gas;
      guess = (tooLittle + enough) / 2n;
    }
    return enough;
  }

  return {
    async eth_call([call, selector]) {
      const header = await view.getHeader(parseSelector(selector));
      const outcome = await attempt(parseCall(call, header), header);
      if (outcome.kind === 'ok') return bytesToHex(outcome.returned);
      throw outcomeError(outcome);
    },
    async eth_estimateGas([call, selector]) {
      const header = await view.getHeader(parseSelector(selector));
      return quantity(await estimate(parseCall(call, header), header));
    },
  };
}
