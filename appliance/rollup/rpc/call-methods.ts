import type { BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { EvmAnswer, EvmCalls, EvmTask } from '../evm/evm-calls.ts';
import type { CallRequest } from '../execute/simulate.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcContext, RpcMethods } from './json-rpc.ts';
import { capped, parseAddress, parseBytes, parseHash, parseObject, parseQuantity, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { revertReason } from './revert-reason.ts';
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

function outcomeError(outcome: EvmAnswer): RpcError | undefined {
  if (outcome.kind === 'ok' || outcome.kind === 'estimated') return undefined;
  if (outcome.kind !== 'reverted') return new RpcError(RPC_CODE.server, outcome.reason);
  const reason = revertReason(outcome.returned);
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
  return new RpcError(RPC_CODE.reverted, message, bytesToHex(outcome.returned));
}

/** Calls and gas estimates: transactions tried on a block's state and forgotten. */
export function createCallMethods(view: ChainView, evm: EvmCalls): RpcMethods {
  async function attempt(kind: EvmTask['kind'], call: unknown, selector: unknown, client: RpcContext) {
    const header = await view.getHeader(parseSelector(selector));
    const answer = await evm.run({ kind, request: parseCall(call, header), header: header.serialize() }, client);
    const error = outcomeError(answer);
    if (error !== undefined) throw error;
    return answer;
  }

  return {
    async eth_call([call, selector], client) {
      const answer = await attempt('call', call, selector, client);
      return answer.kind === 'ok' ? bytesToHex(answer.returned) : undefined;
    },
    async eth_estimateGas([call, selector], client) {
      const answer = await attempt('estimate', call, selector, client);
      return answer.kind === 'estimated' ? quantity(answer.gas) : undefined;
    },
  };
}
