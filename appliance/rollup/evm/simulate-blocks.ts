import { type BlockHeader, createBlockHeader, createBlockHeaderFromRLP } from '@ethereumjs/block';
import { createFeeMarket1559Tx, createLegacyTx } from '@ethereumjs/tx';
import { createAddressFromString } from '@ethereumjs/util';
import type { MachineSimulated, MachineSimulatedResult } from '../../../machine/host/call-results.ts';
import type { MachineSimulatedCall } from '../../../machine/host/calls.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { nextBaseFee } from '../../../protocol/rollup/block-input.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { CallOverrides, CallRequest } from './call-request.ts';
import type { EvmMachine } from './evm-machine.ts';
import { MAX_FEE, toMachineAccount, toMachineBlock, toMachineCall } from './machine-call.ts';
import { type Called, renderSimulated, type UnsignedTx } from './render-simulated.ts';
import { sealSimulated } from './seal-simulated.ts';
import { refusalOf, type SimulationCode, SimulationRefused } from './simulation-code.ts';
import { assertWhole } from './trace/trace-config.ts';
import { logsWithTransfers } from './transfer-log.ts';

/** A transaction that nobody signed, in a block that nobody makes. */
export interface SimulatedCall extends Omit<CallRequest, 'gas' | 'gasPrice'> {
  /** What the block has left when absent. */
  readonly gas: bigint | undefined;
  /** The account's next one when absent. */
  readonly nonce: bigint | undefined;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Type 0: `maxFeePerGas` is its price. */
  readonly isLegacy: boolean;
}

export interface SimulatedBlock {
  readonly overrides: CallOverrides | undefined;
  readonly calls: readonly SimulatedCall[];
}

/** eth_simulateV1: blocks of calls after a block of the chain, each on the state that the one before left. */
export interface Simulation {
  /** RLP of the header of the block that they follow. */
  readonly header: Uint8Array;
  readonly blocks: readonly SimulatedBlock[];
  /** Holds nonces, fees and senders to the rules; else the base fee is 0 and neither counts. */
  readonly validation: boolean;
  /** Transfers of ETH as logs of ERC-20 transfers. */
  readonly traceTransfers: boolean;
  readonly fullTransactions: boolean;
}

/** `blocks`: as eth_simulateV1 gives them. */
export type SimulationAnswer =
  | { readonly kind: 'simulated'; readonly blocks: readonly Record<string, unknown>[] }
  | { readonly kind: 'simulationRefused'; readonly code: SimulationCode; readonly reason: string };

/** Blocks in all, with those that fill gaps between numbers. */
const MAX_SIMULATED_BLOCKS = 256n;
const MAX_64_BIT = (1n << 64n) - 1n;

/** Where a simulation runs: `keep` has what its blocks leave for the next ones. */
interface Setting {
  readonly task: Simulation;
  readonly evm: EvmMachine;
  readonly keep: (hash: Uint8Array, bytes: Uint8Array) => void;
}

/** Runs the blocks; what the rules refuse ends the whole simulation. Throws TraceTooLarge. */
export function simulateBlocks(task: Simulation, evm: EvmMachine): SimulationAnswer {
  try {
    return { kind: 'simulated', blocks: evm.withScratch((keep) => runBlocks({ task, evm, keep })) };
  } catch (error) {
    if (error instanceof SimulationRefused)
      return { kind: 'simulationRefused', code: error.code, reason: error.message };
    throw error;
  }
}

function runBlocks(setting: Setting): Record<string, unknown>[] {
  const { task, evm } = setting;
  let previous = createBlockHeaderFromRLP(task.header, { common: evm.rules });
  const last = previous.number + MAX_SIMULATED_BLOCKS;
  const blocks: Record<string, unknown>[] = [];
  for (const asked of task.blocks) {
    const number = asked.overrides?.block?.number ?? previous.number + 1n;
    if (number <= previous.number)
      throw new SimulationRefused('numberNotRising', `block numbers must be in order: ${number} <= ${previous.number}`);
    if (number > last) throw new SimulationRefused('tooMuch', `too many blocks: more than ${MAX_SIMULATED_BLOCKS}`);
    while (previous.number + 1n < number) {
      const filled = runBlock({ overrides: undefined, calls: [] }, previous, setting);
      blocks.push(filled.rendered);
      previous = filled.header;
    }
    const { header, rendered } = runBlock(asked, previous, setting);
    blocks.push(rendered);
    previous = header;
  }
  return blocks;
}

function runBlock(
  asked: SimulatedBlock,
  previous: BlockHeader,
  { task, evm, keep }: Setting,
): { readonly header: BlockHeader; readonly rendered: Record<string, unknown> } {
  const context = contextAfter(previous, asked.overrides, { task, evm });
  const { coinbase, ...fields } = context;
  const { fresh, ...simulated } = evm.machine.simulateBlock(
    previous.serialize(),
    {
      block: toMachineBlock({
        number: fields.number,
        time: fields.timestamp,
        gasLimit: fields.gasLimit,
        feeRecipient: coinbase.toString() as Hex,
        ...asked.overrides?.block,
        baseFeePerGas: fields.baseFeePerGas ?? 0n,
      }),
      accounts: (asked.overrides?.state ?? []).map(toMachineAccount),
      calls: asked.calls.map(toSimulatedCall),
      isStrict: task.validation,
    },
    task.traceTransfers ? { frames: true } : {},
  );
  for (const { hash, bytes } of fresh) keep(hash, bytes);
  const { called, stateRoot } = settle(asked, simulated, { task, evm });
  const block = sealSimulated({ context, called, stateRoot }, evm.rules);
  keep(block.hash(), block.header.serialize());
  return { header: block.header, rendered: renderSimulated(block, called, task.fullTransactions) };
}

/** The calls that ran, all of them; what the rules refuse is thrown. */
function settle(
  asked: SimulatedBlock,
  { results, stateRoot }: MachineSimulated,
  { task, evm }: Pick<Setting, 'task' | 'evm'>,
): { readonly called: readonly Called[]; readonly stateRoot: Hex } {
  const called = results.map((result, index): Called => {
    if (result.outcome === 'refused') throw refusalOf(result.reason);
    assertWhole(result, 'calls and their data');
    const call = asked.calls[index];
    if (call === undefined) throw new TypeError('the machine gave more results than there are calls');
    const logs = result.outcome !== 'ok' ? [] : task.traceTransfers ? logsWithTransfers(result) : result.logs;
    return { tx: transactionOf(call, result, evm), result, logs };
  });
  if (stateRoot === undefined) throw new TypeError('the machine gave no state of a simulated block');
  return { called, stateRoot };
}

function contextAfter(
  previous: BlockHeader,
  overrides: CallOverrides | undefined,
  { task, evm }: Pick<Setting, 'task' | 'evm'>,
): BlockHeader {
  const block = overrides?.block ?? {};
  const timestamp = block.time ?? previous.timestamp + 1n;
  if (timestamp < previous.timestamp)
    throw new SimulationRefused(
      'timeNotRising',
      `block timestamps must be in order: ${timestamp} < ${previous.timestamp}`,
    );
  return createBlockHeader(
    {
      ...previous,
      parentHash: previous.hash(),
      number: block.number ?? previous.number + 1n,
      timestamp,
      gasUsed: 0n,
      ...(block.gasLimit !== undefined && { gasLimit: block.gasLimit }),
      ...(block.feeRecipient !== undefined && { coinbase: createAddressFromString(block.feeRecipient) }),
      ...(block.prevRandao !== undefined && { mixHash: hexToBytes(block.prevRandao) }),
      baseFeePerGas: block.baseFeePerGas ?? (task.validation ? nextBaseFee(previous) : 0n),
    },
    { common: evm.rules },
  );
}

function toSimulatedCall(call: SimulatedCall): MachineSimulatedCall {
  const { from, to, value, data, accessList, nonce, gas, maxFeePerGas, maxPriorityFeePerGas, isLegacy } = call;
  if (maxFeePerGas > MAX_FEE) throw new SimulationRefused('refused', 'max fee per gas is above 128 bits');
  const request = { from, to, value, data, accessList, gas: 0n, gasPrice: maxFeePerGas };
  return {
    ...toMachineCall(request),
    // More than any block has is refused as too much, however much it is.
    gas: gas !== undefined && gas > MAX_64_BIT ? MAX_64_BIT : gas,
    nonce,
    priorityFee: isLegacy ? undefined : maxPriorityFeePerGas,
  };
}

/** Who signs it is whoever it says: the hash is that of the transaction without a signature. */
function transactionOf(
  call: SimulatedCall,
  { nonce, gas }: MachineSimulatedResult,
  { rules: common }: EvmMachine,
): UnsignedTx {
  const { to, value, data, accessList, maxFeePerGas, maxPriorityFeePerGas } = call;
  const fields = { nonce, gasLimit: gas, value, data, v: 0n, r: 0n, s: 0n, ...(to && { to }) };
  const options = { common, freeze: false };
  const list = accessList.map((item) => ({ ...item, storageKeys: [...item.storageKeys] }));
  const tx = call.isLegacy
    ? createLegacyTx({ ...fields, v: 27n, gasPrice: maxFeePerGas }, options)
    : createFeeMarket1559Tx({ ...fields, accessList: list, maxFeePerGas, maxPriorityFeePerGas }, options);
  const from = createAddressFromString(call.from);
  tx.getSenderAddress = () => from;
  return tx;
}
