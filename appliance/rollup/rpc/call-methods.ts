import type { BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { CallOverrides, CallRequest } from '../evm/call-request.ts';
import type { EvmAnswer, EvmCalls } from '../evm/evm-calls.ts';
import { revertReason } from '../evm/revert-reason.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcContext, RpcMethods } from './json-rpc.ts';
import { parseOverrides } from './override-params.ts';
import { capped, parseAddress, parseBytes, parseHash, parseObject, parseQuantity, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

const ZERO_ADDRESS: Hex = '0x0000000000000000000000000000000000000000';
const MAX_ACCESS_LIST_ITEMS = 1_000;

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

/** Parses an untrusted call object; gas is capped at the block's limit, and at the one that an override gives it. */
export function parseCall(value: unknown, header: BlockHeader, overrides?: CallOverrides): CallRequest {
  const call = parseObject(value, 'call');
  const limit = capped(overrides?.block?.gasLimit ?? header.gasLimit, header.gasLimit);
  const gas = optional(call.gas, 'gas') ?? limit;
  const gasPrice = optional(call.maxFeePerGas, 'maxFeePerGas') ?? optional(call.gasPrice, 'gasPrice') ?? 0n;
  return {
    from: call.from === undefined || call.from === null ? ZERO_ADDRESS : parseAddress(call.from, 'from'),
    to: call.to === undefined || call.to === null ? undefined : parseAddress(call.to, 'to'),
    gas: capped(gas, limit),
    gasPrice,
    value: optional(call.value, 'value') ?? 0n,
    data: parseBytes(call.input ?? call.data ?? '0x', 'data'),
    accessList: parseAccessList(call.accessList),
  };
}

/** What the EVM's answer is as an error; undefined for one that is none. */
export function outcomeError(outcome: EvmAnswer): RpcError | undefined {
  switch (outcome.kind) {
    case 'reverted': {
      const reason = revertReason(outcome.returned);
      const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
      return new RpcError(RPC_CODE.reverted, message, bytesToHex(outcome.returned));
    }
    case 'failed':
    case 'refused':
      return new RpcError(RPC_CODE.server, outcome.reason);
    case 'tooLarge':
      return new RpcError(RPC_CODE.limitExceeded, outcome.reason);
    default:
      return undefined;
  }
}

/** Calls and gas estimates: transactions tried on a block's state and forgotten. */
export function createCallMethods(view: ChainView, evm: EvmCalls): RpcMethods {
  async function attempt(
    kind: 'call' | 'estimate' | 'accessList',
    [call, selector, state, block]: readonly unknown[],
    client: RpcContext,
  ): Promise<EvmAnswer> {
    const header = await view.getStateHeader(parseSelector(selector));
    const overrides = parseOverrides(state, block);
    const request = parseCall(call, header, overrides);
    const task = { kind, request, header: header.serialize(), ...(overrides && { overrides }) };
    const answer = await evm.run(task, client);
    const error = outcomeError(answer);
    if (error !== undefined) throw error;
    return answer;
  }

  return {
    async eth_call(params, client) {
      const answer = await attempt('call', params, client);
      return answer.kind === 'ok' ? bytesToHex(answer.returned) : undefined;
    },
    async eth_estimateGas(params, client) {
      const answer = await attempt('estimate', params, client);
      return answer.kind === 'estimated' ? quantity(answer.gas) : undefined;
    },
    async eth_createAccessList(params, client) {
      const answer = await attempt('accessList', params, client);
      if (answer.kind !== 'listed') return undefined;
      const { accessList, gasUsed, error } = answer;
      return { accessList, gasUsed: quantity(gasUsed), ...(error !== undefined && { error }) };
    },
  };
}
