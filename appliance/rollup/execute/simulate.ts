import { type BlockHeader, createBlock } from '@ethereumjs/block';
import { createAccessList2930Tx } from '@ethereumjs/tx';
import { createAddressFromString, EthereumJSError } from '@ethereumjs/util';
import { createVM, runTx, type VM } from '@ethereumjs/vm';
import type { Hex } from '../../../protocol/brand.ts';
import { createAncestors } from '../../../protocol/rollup/ancestors.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { createMemoryState, type StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { openStateTrie, type StateTrie } from '../../../protocol/rollup/state-trie.ts';

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

async function run(vm: VM, request: CallRequest, header: BlockHeader): Promise<RawOutcome> {
  const { from, to, gas: gasLimit, gasPrice, value, data, accessList } = request;
  const { common } = vm;
  const fields = {
    gasLimit,
    gasPrice,
    value,
    data,
    accessList: accessList.map((item) => ({ ...item, storageKeys: [...item.storageKeys] })),
  };
  const tx = createAccessList2930Tx({ ...fields, ...(to && { to }) }, { common, freeze: false });
  const caller = createAddressFromString(from);
  tx.getSenderAddress = () => caller;
  const context = { ...header, baseFeePerGas: gasPrice === 0n ? 0n : (header.baseFeePerGas ?? 0n) };
  const block = createBlock({ header: context }, { common });
  const account = await vm.stateManager.getAccount(caller);
  if (account?.isContract() && to) {
    // No transaction can come from a contract (EIP-3607), but what it would see when it calls is worth knowing.
    const intrinsic = tx.getIntrinsicGas();
    const callGas = gasLimit > intrinsic ? gasLimit - intrinsic : 0n;
    const call = {
      caller,
      origin: caller,
      to: createAddressFromString(to),
      data: hexToBytes(data),
      value,
      gasPrice,
      block,
    };
    const { execResult } = await vm.evm.runCall({ ...call, gasLimit: callGas });
    const { executionGasUsed, returnValue: returned, exceptionError } = execResult;
    return { gasUsed: intrinsic + executionGasUsed, returned, exception: exceptionError?.error };
  }
  const { totalGasSpent, execResult } = await runTx(vm, { tx, block, skipNonce: true, skipHardForkValidation: true });
  return { gasUsed: totalGasSpent, returned: execResult.returnValue, exception: execResult.exceptionError?.error };
}

/** Runs `request` on the state after `header`, in that block's context, and forgets it. */
export async function simulate(
  request: CallRequest,
  header: BlockHeader,
  { state, rules }: { state: Pick<StateByHash, 'get'>; rules: Rules },
): Promise<CallOutcome> {
  const overlay = createMemoryState(state);
  const trie: StateTrie = openStateTrie(overlay, header.stateRoot, rules);
  const blockchain = createAncestors(header, overlay, rules);
  const vm = await createVM({ common: rules, stateManager: trie.manager, blockchain });
  try {
    const outcome = toOutcome(await run(vm, request, header));
    trie.assertSound();
    return outcome;
  } catch (error) {
    trie.assertSound();
    if (error instanceof EthereumJSError)
      return { kind: 'refused', reason: error.message.replace(/ \(vm hf=.*$/s, '') };
    throw error;
  }
}
