import { type BlockHeader, createBlock } from '@ethereumjs/block';
import { type AccessList2930Tx, createAccessList2930Tx } from '@ethereumjs/tx';
import { createAddressFromString, EthereumJSError } from '@ethereumjs/util';
import { createVM, runTx, type VM } from '@ethereumjs/vm';
import type { Hex } from '../../../protocol/brand.ts';
import { createAncestors } from '../../../protocol/rollup/ancestors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { createMemoryState, type MemoryState, type StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { openStateTrie, type StateTrie } from '../../../protocol/rollup/state-trie.ts';
import { type AccountOverride, type BlockOverride, contextOf, overrideState } from './overrides.ts';
import { createTracer } from './trace/create-tracer.ts';
import type { TraceConfig, TraceEnd } from './trace/tracer.ts';

export interface AccessListItem {
  readonly address: Hex;
  readonly storageKeys: readonly Hex[];
}

/** A transaction that nobody signed, to be tried and forgotten. */
export interface CallRequest {
  readonly from: Hex;
  readonly to: Hex | undefined;
  readonly gas: bigint;
  /** Wei; zero runs as if the base fee were zero too. */
  readonly gasPrice: bigint;
  readonly value: bigint;
  readonly data: Hex;
  readonly accessList: readonly { readonly address: Hex; readonly storageKeys: readonly Hex[] }[];
}

/** `refused` = the rules do not let it start; `reverted` and `failed` (out of gas, invalid opcode, ...) ran and used gas. */
export type CallOutcome =
  | { readonly kind: 'ok'; readonly gasUsed: bigint; readonly returned: Uint8Array }
  | { readonly kind: 'reverted'; readonly gasUsed: bigint; readonly returned: Uint8Array }
  | { readonly kind: 'failed'; readonly gasUsed: bigint; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

interface RawOutcome extends TraceEnd {
  /** What it touched, when that was asked for. */
  readonly accessed?: readonly AccessListItem[] | undefined;
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
  return { gasUsed: intrinsic + executionGasUsed, returned, exception: exceptionError?.error, created: undefined };
}

async function run(
  vm: VM,
  request: CallRequest,
  { context, withAccesses = false }: { readonly context: BlockHeader; readonly withAccesses?: boolean },
): Promise<RawOutcome> {
  const account = await vm.stateManager.getAccount(createAddressFromString(request.from));
  const isFree = request.gasPrice === 0n && (context.baseFeePerGas ?? 0n) > 0n;
  if ((account?.isContract() || isFree) && request.to) return runUncharged(vm, { ...request, to: request.to }, context);
  const { totalGasSpent, execResult, createdAddress, accessList } = await runTx(vm, {
    tx: transactionOf(request, vm.common),
    block: createBlock({ header: context }, { common: vm.common }),
    skipNonce: true,
    skipHardForkValidation: true,
    reportAccessList: withAccesses,
  });
  return {
    gasUsed: totalGasSpent,
    returned: execResult.returnValue,
    exception: execResult.exceptionError?.error,
    created: createdAddress && bytesToHex(createdAddress.bytes),
    accessed: accessList as readonly AccessListItem[] | undefined,
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

export interface CallOverrides {
  readonly state?: readonly AccountOverride[] | undefined;
  readonly block?: BlockOverride | undefined;
}

interface Bench {
  readonly vm: VM;
  readonly trie: StateTrie;
  readonly context: BlockHeader;
  /** The same state once more, as it was before the call. */
  before(): Promise<StateTrie>;
}

async function openBench(
  request: CallRequest,
  header: BlockHeader,
  { state, rules, overrides }: CallState & { readonly overrides: CallOverrides },
): Promise<Bench> {
  const overlay: MemoryState = createMemoryState(state);
  const open = async (): Promise<StateTrie> => {
    const trie = openStateTrie(overlay, header.stateRoot, rules);
    if (overrides.state !== undefined) await overrideState(trie, overrides.state);
    return trie;
  };
  const trie = await open();
  const blockchain = createAncestors(header, overlay, rules);
  const vm = await createVM({ common: rules, stateManager: trie.manager, blockchain });
  const context = contextOf(header, { block: overrides.block, isFree: request.gasPrice === 0n, rules });
  return { vm, trie, context, before: open };
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

/** The same, and tells what happened on the way. */
export async function traceCall(
  request: CallRequest,
  header: BlockHeader,
  on: CallState & { readonly overrides?: CallOverrides | undefined; readonly trace: TraceConfig },
): Promise<{ readonly kind: 'traced'; readonly trace: unknown } | (CallOutcome & { kind: 'refused' })> {
  const { vm, trie, context, before } = await openBench(request, header, { ...on, overrides: on.overrides ?? {} });
  const { from, to, gas, value, data: input } = request;
  const tracer = createTracer(on.trace, { from, to, gas, value, input, coinbase: bytesToHex(context.coinbase.bytes) });
  tracer.attach(vm);
  return attempt(trie, async () => {
    const end = await run(vm, request, { context });
    return { kind: 'traced', trace: await tracer.result(end, { before: await before(), after: trie }) };
  });
}

const MAX_ACCESS_ROUNDS = 4;

/** The access list with which the call touches nothing that it does not name, and what it uses then. */
export async function listAccesses(
  request: CallRequest,
  header: BlockHeader,
  on: CallState & { readonly overrides?: CallOverrides | undefined },
): Promise<
  | {
      readonly kind: 'listed';
      readonly accessList: readonly AccessListItem[];
      readonly gasUsed: bigint;
      readonly error?: string;
    }
  | (CallOutcome & { kind: 'refused' })
> {
  let accessList = request.accessList;
  for (let round = 0; ; round++) {
    const { vm, trie, context } = await openBench(request, header, { ...on, overrides: on.overrides ?? {} });
    const done = await attempt(trie, () => run(vm, { ...request, accessList }, { context, withAccesses: true }));
    if ('kind' in done) return done;
    // What is warm anyway is named only for its slots.
    const isWarm = (address: string): boolean =>
      [request.from, request.to, bytesToHex(context.coinbase.bytes)].includes(address as Hex) ||
      vm.evm.precompiles.has(address.slice(2));
    const next = (done.accessed ?? []).filter(({ address, storageKeys }) => storageKeys.length > 0 || !isWarm(address));
    if (round + 1 >= MAX_ACCESS_ROUNDS || JSON.stringify(next) === JSON.stringify(accessList)) {
      const error =
        done.exception === undefined
          ? {}
          : { error: done.exception === 'revert' ? 'execution reverted' : done.exception };
      return { kind: 'listed', accessList: next, gasUsed: done.gasUsed, ...error };
    }
    accessList = next;
  }
}
