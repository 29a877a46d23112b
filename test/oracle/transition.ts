/**
 * The state transition of machine/core/src/block.rs, which says its rules, by the EVM of @ethereumjs: an oracle for tests.
 * (previous header, what L1 and the sequencer say, state by hash) -> (header, receipts, state by hash).
 */
import { type Block, type BlockHeader, createBlock, type HeaderData } from '@ethereumjs/block';
import { RLP } from '@ethereumjs/rlp';
import {
  Account,
  type Address,
  bigIntToBytes,
  createAddressFromString,
  EthereumJSError,
  setLengthLeft,
  unpadBytes,
  type Withdrawal,
} from '@ethereumjs/util';
import { createVM, encodeReceipt, type RunTxResult, runTx, type VM } from '@ethereumjs/vm';
import type { Hex } from '../../protocol/brand.ts';
import {
  assertForkKnown,
  type BlockInput,
  checkInput,
  encodeOrigin,
  nextBaseFee,
  withdrawalsOf,
} from '../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { orderedRoot } from '../../protocol/rollup/ordered-root.ts';
import { type Receipt, receiptLog, type TransactionType } from '../../protocol/rollup/receipt.ts';
import {
  HISTORY_ADDRESS,
  HISTORY_LENGTH,
  NO_REQUESTS_HASH,
  ORIGIN_ROOTS_ADDRESS,
  ORIGIN_ROOTS_LENGTH,
  type Rules,
} from '../../protocol/rollup/rules.ts';
import {
  effectiveGasPrice,
  findObstacle,
  type Obstacle,
  parseTransaction,
  type SignedTransaction,
} from '../../protocol/rollup/transaction.ts';
import { createAncestors } from './ancestors.ts';
import { evmRules } from './evm-rules.ts';
import type { StateByHash } from './state-by-hash.ts';
import { openStateTrie } from './state-trie.ts';

const GWEI = 1_000_000_000n;
const BLOOM_BYTES = 256;
/** EIP-7702: the code of an account that lends its address is these bytes and the address of the code. */
const DELEGATION_PREFIX: Hex = '0xef0100';
const DELEGATION_BYTES = 23;

/** A transaction of the input that the block does not hold. */
export interface DroppedTransaction {
  /** Its place in the input. */
  readonly index: number;
  readonly obstacle: Obstacle;
}

export interface TransitionResult {
  readonly hash: Hex;
  readonly header: BlockHeader;
  /** Header, transactions and withdrawals: what Ethereum calls the block. */
  readonly block: Block;
  /** One for each transaction of the block. */
  readonly receipts: readonly Receipt[];
  readonly dropped: readonly DroppedTransaction[];
}

interface Execution {
  readonly vm: VM;
  /** The block as the EVM sees it while it runs: everything but the results. */
  readonly context: Block;
  readonly included: { readonly signed: SignedTransaction; readonly receipt: Receipt; readonly encoded: Uint8Array }[];
  readonly dropped: DroppedTransaction[];
  readonly bloom: Uint8Array;
  gasUsed: bigint;
}

/**
 * EIP-4788, and from Prague on EIP-2935, by direct writes to the contracts' ring buffers; a chain whose genesis has no such contract
 * skips it. What every block begins with.
 */
export async function recordOrigin(vm: VM, header: BlockHeader): Promise<void> {
  const slot = header.timestamp % ORIGIN_ROOTS_LENGTH;
  await writeSlots(vm, ORIGIN_ROOTS_ADDRESS, [
    [slot, bigIntToBytes(header.timestamp)],
    [slot + ORIGIN_ROOTS_LENGTH, header.mixHash],
  ]);
  if (!vm.common.isActivatedEIP(2935)) return;
  await writeSlots(vm, HISTORY_ADDRESS, [[(header.number - 1n) % HISTORY_LENGTH, header.parentHash]]);
}

async function writeSlots(vm: VM, at: Hex, slots: readonly (readonly [bigint, Uint8Array])[]): Promise<void> {
  const { stateManager } = vm;
  const address = createAddressFromString(at);
  if ((await stateManager.getCode(address)).length === 0) return;
  for (const [slot, value] of slots)
    await stateManager.putStorage(address, setLengthLeft(bigIntToBytes(slot), 32), unpadBytes(value));
}

async function credit(vm: VM, { address, amount }: { address: Address; amount: bigint }): Promise<void> {
  // EIP-4895: a withdrawal of nothing must not create an empty account (EIP-161).
  if (amount === 0n) return;
  const account = (await vm.stateManager.getAccount(address)) ?? new Account();
  account.balance += amount * GWEI;
  await vm.stateManager.putAccount(address, account);
}

function toReceipt(signed: SignedTransaction, result: RunTxResult, context: BlockHeader): Receipt {
  const { tx, hash, sender } = signed;
  const { receipt } = result;
  return {
    transactionHash: hash,
    type: tx.type as TransactionType,
    sender,
    to: tx.to && bytesToHex(tx.to.bytes),
    status: 'status' in receipt && receipt.status === 1 ? 1 : 0,
    gasUsed: result.totalGasSpent,
    cumulativeGasUsed: receipt.cumulativeBlockGasUsed,
    effectiveGasPrice: effectiveGasPrice(tx, context),
    contractAddress: tx.to === undefined && result.createdAddress ? bytesToHex(result.createdAddress.bytes) : undefined,
    bloom: receipt.bitvector,
    logs: receipt.logs.map(receiptLog),
  };
}

/** EIP-7702: the account's code is a delegation. */
async function lendsItsAddress({ common, stateManager }: VM, sender: Hex): Promise<boolean> {
  if (!common.isActivatedEIP(7702)) return false;
  const code = await stateManager.getCode(createAddressFromString(sender));
  return code.length === DELEGATION_BYTES && bytesToHex(code.subarray(0, 3)) === DELEGATION_PREFIX;
}

/** Runs one transaction, or says why it cannot run. Whatever the state cannot answer is thrown, never taken for a verdict. */
async function execute(execution: Execution, raw: Uint8Array, assertSound: () => void): Promise<Obstacle | undefined> {
  const { vm, context, bloom } = execution;
  const { header } = context;
  const signed = parseTransaction(raw, vm.common);
  if (typeof signed === 'string') return signed;
  const account = await vm.stateManager.getAccount(createAddressFromString(signed.sender));
  const gasLeft = header.gasLimit - execution.gasUsed;
  const isDelegated = account?.isContract() === true && (await lendsItsAddress(vm, signed.sender));
  const obstacle = findObstacle(signed, account, { baseFee: header.baseFeePerGas ?? 0n, gasLeft, isDelegated });
  if (obstacle !== undefined) return obstacle;
  let result: RunTxResult;
  try {
    result = await runTx(vm, {
      tx: signed.tx,
      block: context,
      blockGasUsed: execution.gasUsed,
      skipHardForkValidation: true,
    });
  } catch (error) {
    assertSound();
    // The EVM's own refusals are the same on every machine; anything else (out of memory, a bug) must not decide a block.
    if (error instanceof EthereumJSError) return 'refused';
    throw error;
  }
  assertSound();
  execution.gasUsed += result.totalGasSpent;
  for (const [i, byte] of result.receipt.bitvector.entries()) bloom[i] = (bloom[i] ?? 0) | byte;
  execution.included.push({
    signed,
    receipt: toReceipt(signed, result, header),
    encoded: encodeReceipt(result.receipt, signed.tx.type),
  });
  return undefined;
}

function contextHeader(previous: BlockHeader, input: BlockInput, rules: Rules): HeaderData {
  const origin = hexToBytes(input.l1Origin.hash);
  return {
    parentHash: previous.hash(),
    number: previous.number + 1n,
    timestamp: input.timestamp,
    coinbase: createAddressFromString(input.feeRecipient),
    gasLimit: previous.gasLimit,
    baseFeePerGas: nextBaseFee(previous),
    mixHash: origin,
    parentBeaconBlockRoot: origin,
    extraData: encodeOrigin(checkInput(previous, input)),
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    ...(rules.isActivatedEIP(7685) && { requestsHash: hexToBytes(NO_REQUESTS_HASH) }),
  };
}

function seal(execution: Execution, stateRoot: Hex, withdrawals: Withdrawal[]): Block {
  const { vm, context, included, bloom, gasUsed } = execution;
  const { common } = vm;
  const header: HeaderData = {
    ...context.header,
    stateRoot,
    transactionsTrie: orderedRoot(
      included.map(({ signed }) => signed.raw),
      common,
    ),
    receiptTrie: orderedRoot(
      included.map(({ encoded }) => encoded),
      common,
    ),
    withdrawalsRoot: orderedRoot(
      withdrawals.map((withdrawal) => RLP.encode(withdrawal.raw())),
      common,
    ),
    logsBloom: bloom,
    gasUsed,
  };
  return createBlock({ header, transactions: included.map(({ signed }) => signed.tx), withdrawals }, { common });
}

/**
 * Builds the block that follows `previous` from `input`. New state, code and the header itself go to `state.put`; nothing that
 * was there is changed, so a caller that drops what was put has undone the block. Pure: no clock, no randomness.
 *
 * Throws ROLLUP_BLOCK_INPUT_INVALID, ROLLUP_FORK_UNKNOWN, ROLLUP_STATE_MISSING, and what `state` throws.
 */
export async function transition(
  previous: BlockHeader,
  input: BlockInput,
  { state, rules }: { state: StateByHash; rules: Rules },
): Promise<TransitionResult> {
  assertForkKnown(previous);
  const trie = openStateTrie(state, previous.stateRoot, rules);
  const blockchain = createAncestors(previous, state, rules);
  const vm = await createVM({ common: evmRules(rules), stateManager: trie.manager, blockchain });
  const context = createBlock({ header: contextHeader(previous, input, rules) }, { common: rules });
  const execution: Execution = {
    vm,
    context,
    included: [],
    dropped: [],
    bloom: new Uint8Array(BLOOM_BYTES),
    gasUsed: 0n,
  };

  // Held open over the block, so that the tries are written once and not after every transaction.
  await vm.evm.journal.checkpoint();
  await recordOrigin(vm, context.header);
  for (const [index, raw] of input.transactions.entries()) {
    const obstacle = await execute(execution, raw, trie.assertSound);
    if (obstacle !== undefined) execution.dropped.push({ index, obstacle });
  }
  const withdrawals = withdrawalsOf(input.deposits);
  for (const withdrawal of withdrawals) await credit(vm, withdrawal);
  await vm.evm.journal.commit();

  const block = seal(execution, await trie.commit(), withdrawals);
  const hash = bytesToHex(block.hash());
  await state.put(hash, block.header.serialize());
  const receipts = execution.included.map(({ receipt }) => receipt);
  return { hash, header: block.header, block, receipts, dropped: execution.dropped };
}
