import { type BlockHeader, createBlock } from '@ethereumjs/block';
import { type AccessList2930Tx, createAccessList2930Tx } from '@ethereumjs/tx';
import { createAddressFromString, EthereumJSError } from '@ethereumjs/util';
import { createVM, runTx, type VM } from '@ethereumjs/vm';
import type { CallOutcome, CallOverrides, CallRequest } from '../../appliance/rollup/evm/call-request.ts';
import type { Hex } from '../../protocol/brand.ts';
import { hexToBytes } from '../../protocol/rollup/bytes.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import { createAncestors } from './ancestors.ts';
import { evmRules } from './evm-rules.ts';
import { contextOf, overrideState } from './overrides.ts';
import { createMemoryState, type MemoryState, type StateByHash } from './state-by-hash.ts';
import { openStateTrie, type StateTrie } from './state-trie.ts';

interface RawOutcome {
  readonly gasUsed: bigint;
  readonly returned: Uint8Array;
  readonly exception: string | undefined;
}

function toOutcome({ gasUsed, returned, exception }: RawOutcome): CallOutcome {
  if (exception === undefined) return { kind: 'ok', gasUsed, returned };
  if (exception === 'revert') return { kind: 'reverted', gasUsed, returned };
  return { kind: 'failed', gasUsed, reason: exception };
}

function transactionOf(request: CallRequest, rules: Rules): AccessList2930Tx {
  const { from, to, gas: gasLimit, gasPrice, value, data, accessList } = request;
  const fields = {
    gasLimit,
    gasPrice,
    value,
    data,
    accessList: accessList.map((item) => ({ ...item, storageKeys: [...item.storageKeys] })),
  };
  const tx = createAccessList2930Tx({ ...fields, ...(to && { to }) }, { common: rules, freeze: false });
  const caller = createAddressFromString(from);
  tx.getSenderAddress = () => caller;
  return tx;
}

/**
 * Without the rules for transactions: none can come from a contract (EIP-3607), nor for nothing below a base fee, but what a call would
 * see then is worth knowing.
 */
async function runUncharged(vm: VM, request: CallRequest & { readonly to: Hex }, context: BlockHeader) {
  const intrinsic = transactionOf(request, vm.common).getIntrinsicGas();
  const { gas, value, gasPrice } = request;
  const caller = createAddressFromString(request.from);
  const { execResult } = await vm.evm.runCall({
    caller,
    origin: caller,
    to: createAddressFromString(request.to),
    data: hexToBytes(request.data),
    value,
    gasPrice,
    block: createBlock({ header: context }, { common: vm.common }),
    gasLimit: gas > intrinsic ? gas - intrinsic : 0n,
  });
  const { executionGasUsed, returnValue: returned, exceptionError } = execResult;
  return { gasUsed: intrinsic + executionGasUsed, returned, exception: exceptionError?.error };
}

async function run(vm: VM, request: CallRequest, { context }: { readonly context: BlockHeader }): Promise<RawOutcome> {
  const account = await vm.stateManager.getAccount(createAddressFromString(request.from));
  const isFree = request.gasPrice === 0n && (context.baseFeePerGas ?? 0n) > 0n;
  if ((account?.isContract() || isFree) && request.to) return runUncharged(vm, { ...request, to: request.to }, context);
  const { totalGasSpent, execResult } = await runTx(vm, {
    tx: transactionOf(request, vm.common),
    block: createBlock({ header: context }, { common: vm.common }),
    skipNonce: true,
    skipHardForkValidation: true,
  });
  return {
    gasUsed: totalGasSpent,
    returned: execResult.returnValue,
    exception: execResult.exceptionError?.error,
  };
}

/** In the words of geth: wallets and libraries recognise a refusal by its text. */
function refusalText(text: string): string {
  if (/enough funds|upfront/i.test(text)) return 'insufficient funds for gas * price + value';
  if (/lower than the minimum gas limit|intrinsic/i.test(text)) return 'intrinsic gas too low';
  if (/less than the block.s baseFee|base fee/i.test(text)) return 'max fee per gas less than block base fee';
  return text;
}

/** What a call is tried on. */
export interface CallState {
  readonly state: Pick<StateByHash, 'get'>;
  readonly rules: Rules;
}

interface Bench {
  readonly vm: VM;
  readonly trie: StateTrie;
  readonly context: BlockHeader;
}

async function openBench(
  request: CallRequest,
  header: BlockHeader,
  { state, rules, overrides }: CallState & { readonly overrides: CallOverrides },
): Promise<Bench> {
  const overlay: MemoryState = createMemoryState(state);
  const trie = openStateTrie(overlay, header.stateRoot, rules);
  if (overrides.state !== undefined) await overrideState(trie, overrides.state);
  const blockchain = createAncestors(header, overlay, rules);
  const vm = await createVM({ common: evmRules(rules), stateManager: trie.manager, blockchain });
  const context = contextOf(header, { block: overrides.block, isFree: request.gasPrice === 0n, rules });
  return { vm, trie, context };
}

/** Does `work` on the state; what the rules refuse is told apart from what the state cannot answer. */
async function attempt<T>(trie: StateTrie, work: () => Promise<T>): Promise<T | (CallOutcome & { kind: 'refused' })> {
  try {
    const done = await work();
    trie.assertSound();
    return done;
  } catch (error) {
    trie.assertSound();
    if (!(error instanceof EthereumJSError)) throw error;
    return { kind: 'refused', reason: refusalText(error.message.replace(/ \(vm hf=.*$/s, '')) };
  }
}

/** Runs `request` on the state after `header`, in that block's context, and forgets it. */
export async function simulate(
  request: CallRequest,
  header: BlockHeader,
  on: CallState & { readonly overrides?: CallOverrides | undefined },
): Promise<CallOutcome> {
  const { vm, trie, context } = await openBench(request, header, { ...on, overrides: on.overrides ?? {} });
  return attempt(trie, async () => toOutcome(await run(vm, request, { context })));
}
