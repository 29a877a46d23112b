import {
  type Block,
  type BlockHeader,
  createBlock,
  createBlockHeaderFromRLP,
  type HeaderData,
} from '@ethereumjs/block';
import { createFeeMarket1559Tx, createLegacyTx } from '@ethereumjs/tx';
import { createAddressFromString, EthereumJSError, KECCAK256_NULL } from '@ethereumjs/util';
import { createVM, encodeReceipt, runTx, type VM } from '@ethereumjs/vm';
import type { Hex } from '../../../protocol/brand.ts';
import { createAncestors } from '../../../protocol/rollup/ancestors.ts';
import { nextBaseFee } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { orderedRoot } from '../../../protocol/rollup/ordered-root.ts';
import { receiptLog } from '../../../protocol/rollup/receipt.ts';
import { createMemoryState, type MemoryState } from '../../../protocol/rollup/state-by-hash.ts';
import { openStateTrie, type StateTrie } from '../../../protocol/rollup/state-trie.ts';
import { contextOf, overrideState } from '../execute/overrides.ts';
import type { CallOverrides, CallRequest, CallState } from '../execute/simulate.ts';
import { type Called, renderSimulated, type UnsignedTx } from './render-simulated.ts';
import { type SimulationCode, SimulationRefused } from './simulation-code.ts';
import { createTransferLog, type TransferLog } from './transfer-log.ts';

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
export const MAX_SIMULATED_BLOCKS = 256n;
const BLOOM_BYTES = 256;
const ZERO_HASH = new Uint8Array(32);

interface Running {
  readonly vm: VM;
  readonly context: Block;
  readonly done: Called[];
  gasUsed: bigint;
}

/** Runs the blocks; what the rules refuse ends the whole simulation. */
export async function simulateBlocks(task: Simulation, on: CallState): Promise<SimulationAnswer> {
  const overlay = createMemoryState(on.state);
  let previous = createBlockHeaderFromRLP(task.header, { common: on.rules });
  const last = previous.number + MAX_SIMULATED_BLOCKS;
  const blocks: Record<string, unknown>[] = [];
  try {
    for (const asked of task.blocks) {
      const number = asked.overrides?.block?.number ?? previous.number + 1n;
      if (number <= previous.number)
        throw new SimulationRefused(
          'numberNotRising',
          `block numbers must be in order: ${number} <= ${previous.number}`,
        );
      if (number > last) throw new SimulationRefused('tooMuch', `too many blocks: more than ${MAX_SIMULATED_BLOCKS}`);
      while (previous.number + 1n < number) {
        const filled = await simulateBlock({ overrides: undefined, calls: [] }, previous, { task, on, overlay });
        blocks.push(filled.rendered);
        previous = filled.header;
      }
      const { header, rendered } = await simulateBlock(asked, previous, { task, on, overlay });
      blocks.push(rendered);
      previous = header;
    }
  } catch (error) {
    if (error instanceof SimulationRefused)
      return { kind: 'simulationRefused', code: error.code, reason: error.message };
    throw error;
  }
  return { kind: 'simulated', blocks };
}

interface Setting {
  readonly task: Simulation;
  readonly on: CallState;
  readonly overlay: MemoryState;
}

async function simulateBlock(
  asked: SimulatedBlock,
  previous: BlockHeader,
  { task, on, overlay }: Setting,
): Promise<{ readonly header: BlockHeader; readonly rendered: Record<string, unknown> }> {
  const { rules } = on;
  const context = contextAfter(previous, asked.overrides, { task, rules });
  const trie = openStateTrie(overlay, previous.stateRoot, rules);
  if (asked.overrides?.state !== undefined) await overrideState(trie, asked.overrides.state);
  const blockchain = createAncestors(previous, overlay, rules);
  const vm = await createVM({ common: rules, stateManager: trie.manager, blockchain });
  const transfers = task.traceTransfers ? createTransferLog(vm) : undefined;
  const running: Running = { vm, context, done: [], gasUsed: 0n };
  for (const call of asked.calls) await runCall(call, running, { task, trie, transfers });
  const block = seal(running, await trie.commit());
  await overlay.put(bytesToHex(block.hash()), block.header.serialize());
  return { header: block.header, rendered: renderSimulated(block, running.done, task.fullTransactions) };
}

function contextAfter(
  previous: BlockHeader,
  overrides: CallOverrides | undefined,
  { task, rules }: { readonly task: Simulation; readonly rules: CallState['rules'] },
): Block {
  const block = overrides?.block ?? {};
  const timestamp = block.time ?? previous.timestamp + 1n;
  if (timestamp < previous.timestamp)
    throw new SimulationRefused(
      'timeNotRising',
      `block timestamps must be in order: ${timestamp} < ${previous.timestamp}`,
    );
  const header = contextOf(previous, {
    block: {
      ...block,
      number: block.number ?? previous.number + 1n,
      time: timestamp,
      baseFeePerGas: block.baseFeePerGas ?? (task.validation ? nextBaseFee(previous) : 0n),
    },
    isFree: false,
    rules,
  });
  return createBlock({ header: { ...header, parentHash: previous.hash(), gasUsed: 0n } }, { common: rules });
}

/** Who signs it is whoever it says: the hash is that of the transaction without a signature. */
function transactionOf(call: SimulatedCall, nonce: bigint, gasLimit: bigint, { common }: VM): UnsignedTx {
  const { to, value, data, accessList, maxFeePerGas, maxPriorityFeePerGas } = call;
  const fields = { nonce, gasLimit, value, data, v: 0n, r: 0n, s: 0n, ...(to && { to }) };
  const options = { common, freeze: false };
  const list = accessList.map((item) => ({ ...item, storageKeys: [...item.storageKeys] }));
  const tx = call.isLegacy
    ? createLegacyTx({ ...fields, v: 27n, gasPrice: maxFeePerGas }, options)
    : createFeeMarket1559Tx({ ...fields, accessList: list, maxFeePerGas, maxPriorityFeePerGas }, options);
  const from = createAddressFromString(call.from);
  tx.getSenderAddress = () => from;
  return tx;
}

async function runCall(
  call: SimulatedCall,
  running: Running,
  {
    task,
    trie,
    transfers,
  }: { readonly task: Simulation; readonly trie: StateTrie; readonly transfers: TransferLog | undefined },
): Promise<void> {
  const { vm, context } = running;
  const from = createAddressFromString(call.from);
  const account = await vm.stateManager.getAccount(from);
  const left = context.header.gasLimit - running.gasUsed;
  const gas = call.gas ?? left;
  if (gas > left) throw new SimulationRefused('blockGas', `block gas limit reached: ${gas} > ${left}`);
  const next = account?.nonce ?? 0n;
  const nonce = call.nonce ?? next;
  if (task.validation && nonce !== next)
    throw new SimulationRefused(
      nonce < next ? 'nonceLow' : 'nonceHigh',
      `nonce too ${nonce < next ? 'low' : 'high'}: next is ${next}`,
    );
  const tx = transactionOf(call, nonce, gas, vm);
  if (tx.getIntrinsicGas() > gas)
    throw new SimulationRefused('intrinsicGas', `intrinsic gas too low: have ${gas}, want ${tx.getIntrinsicGas()}`);
  transfers?.begin();
  try {
    // Neither signatures nor EIP-3607 hold here, with or without validation: what a contract would send is worth knowing.
    const result = await asAccount(vm, call.from, () =>
      runTx(vm, { tx, block: context, blockGasUsed: running.gasUsed, skipNonce: true, skipHardForkValidation: true }),
    );
    trie.assertSound();
    running.gasUsed += result.totalGasSpent;
    const logs = transfers?.end(result.execResult.exceptionError === undefined) ?? result.receipt.logs.map(receiptLog);
    running.done.push({ tx, result, logs });
  } catch (error) {
    trie.assertSound();
    if (!(error instanceof EthereumJSError)) throw error;
    throw refusalOf(error.message.replace(/ \(vm hf=.*$/s, ''));
  }
}

/** The first look at the sender, which is EIP-3607's, finds an account without code; every later one what it is. */
async function asAccount<T>({ stateManager }: VM, sender: Hex, work: () => Promise<T>): Promise<T> {
  const read = stateManager.getAccount.bind(stateManager);
  stateManager.getAccount = async (address) => {
    const account = await read(address);
    if (account === undefined || address.toString() !== sender) return account;
    stateManager.getAccount = read;
    return Object.defineProperty(account, 'codeHash', {
      configurable: true,
      get() {
        delete (account as { codeHash?: Uint8Array }).codeHash;
        return KECCAK256_NULL;
      },
    });
  };
  try {
    return await work();
  } finally {
    stateManager.getAccount = read;
  }
}

function refusalOf(text: string): SimulationRefused {
  if (/enough funds|upfront|insufficient/i.test(text))
    return new SimulationRefused('funds', 'insufficient funds for gas * price + value');
  if (/baseFee|base fee/i.test(text))
    return new SimulationRefused('baseFee', 'max fee per gas less than block base fee');
  if (/initcode|init code/i.test(text)) return new SimulationRefused('initCode', 'max initcode size exceeded');
  return new SimulationRefused('refused', text);
}

function seal({ vm, context, done, gasUsed }: Running, stateRoot: Hex): Block {
  const { common } = vm;
  const logsBloom = new Uint8Array(BLOOM_BYTES);
  for (const { result } of done)
    for (const [i, byte] of result.receipt.bitvector.entries()) logsBloom[i] = (logsBloom[i] ?? 0) | byte;
  const header: HeaderData = {
    ...context.header,
    stateRoot,
    transactionsTrie: orderedRoot(
      done.map(({ tx }) => tx.serialize()),
      common,
    ),
    receiptTrie: orderedRoot(
      done.map(({ tx, result }) => encodeReceipt(result.receipt, tx.type)),
      common,
    ),
    withdrawalsRoot: orderedRoot([], common),
    parentBeaconBlockRoot: ZERO_HASH,
    logsBloom,
    gasUsed,
  };
  return createBlock({ header, transactions: done.map(({ tx }) => tx), withdrawals: [] }, { common });
}
