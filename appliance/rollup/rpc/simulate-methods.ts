import type { BlockHeader } from '@ethereumjs/block';
import type { EvmCalls } from '../evm/evm-calls.ts';
import type { SimulatedBlock, SimulatedCall, Simulation } from '../evm/simulate-blocks.ts';
import { SIMULATION_CODE } from '../evm/simulation-code.ts';
import { outcomeError, parseCall } from './call-methods.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseOverrides } from './override-params.ts';
import { parseObject, parseQuantity, parseSelector } from './params.ts';
import { invalidParams, RpcError } from './rpc-error.ts';

const MAX_BLOCKS = 256;
const MAX_CALLS = 1_000;
const MAX_64_BIT = (1n << 64n) - 1n;

function tooMuch(what: string): RpcError {
  return new RpcError(SIMULATION_CODE.tooMuch, `client limit exceeded: ${what}`);
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function parseNonce(value: unknown): bigint | undefined {
  if (!isPresent(value)) return undefined;
  const nonce = parseQuantity(value, 'nonce');
  if (nonce > MAX_64_BIT) throw invalidParams('nonce is above 64 bits');
  return nonce;
}

function parseSimulatedCall(value: unknown, header: BlockHeader): SimulatedCall {
  const call = parseObject(value, 'call');
  const { gas: _, gasPrice: price, ...common } = parseCall(call, header);
  const isLegacy = isPresent(call.gasPrice);
  if (isLegacy && (isPresent(call.maxFeePerGas) || isPresent(call.maxPriorityFeePerGas)))
    throw invalidParams('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified');
  const tip = isPresent(call.maxPriorityFeePerGas)
    ? parseQuantity(call.maxPriorityFeePerGas, 'maxPriorityFeePerGas')
    : 0n;
  if (tip > price) throw invalidParams('maxPriorityFeePerGas is above maxFeePerGas');
  return {
    ...common,
    gas: isPresent(call.gas) ? parseQuantity(call.gas, 'gas') : undefined,
    nonce: parseNonce(call.nonce),
    maxFeePerGas: price,
    maxPriorityFeePerGas: isLegacy ? 0n : tip,
    isLegacy,
  };
}

function parseSimulatedBlock(value: unknown, header: BlockHeader): SimulatedBlock {
  const { blockOverrides, stateOverrides, calls } = parseObject(value, 'block');
  if (isPresent(calls) && !Array.isArray(calls)) throw invalidParams('calls is not a list');
  const listed = (calls ?? []) as unknown[];
  if (listed.length > MAX_CALLS) throw tooMuch(`more than ${MAX_CALLS} calls`);
  return {
    overrides: parseOverrides(stateOverrides, blockOverrides),
    calls: listed.map((call) => parseSimulatedCall(call, header)),
  };
}

function parseSimulation(value: unknown, header: BlockHeader): Omit<Simulation, 'header'> {
  const { blockStateCalls, validation, traceTransfers, returnFullTransactions } = parseObject(value, 'simulation');
  if (!Array.isArray(blockStateCalls) || blockStateCalls.length === 0)
    throw invalidParams('blockStateCalls is no list of blocks');
  if (blockStateCalls.length > MAX_BLOCKS) throw tooMuch(`more than ${MAX_BLOCKS} blocks`);
  const blocks = blockStateCalls.map((block) => parseSimulatedBlock(block, header));
  if (blocks.reduce((sum, { calls }) => sum + calls.length, 0) > MAX_CALLS)
    throw tooMuch(`more than ${MAX_CALLS} calls`);
  return {
    blocks,
    validation: validation === true,
    traceTransfers: traceTransfers === true,
    fullTransactions: returnFullTransactions === true,
  };
}

/** Blocks of calls that build on each other and are forgotten. */
export function createSimulateMethods(view: ChainView, evm: EvmCalls): RpcMethods {
  return {
    async eth_simulateV1([simulation, selector], client) {
      const header = await view.getStateHeader(parseSelector(selector));
      const task = { kind: 'simulate', header: header.serialize(), ...parseSimulation(simulation, header) } as const;
      const answer = await evm.run(task, client);
      if (answer.kind === 'simulated') return answer.blocks;
      if (answer.kind === 'simulationRefused') throw new RpcError(answer.code, answer.reason);
      throw outcomeError(answer) ?? new TypeError(`a simulation ended ${answer.kind}`);
    },
  };
}
