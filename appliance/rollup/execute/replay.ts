import type { Block, BlockHeader } from '@ethereumjs/block';
import { createVM, runTx, type VM } from '@ethereumjs/vm';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { createAncestors } from '../../../protocol/rollup/ancestors.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { createMemoryState } from '../../../protocol/rollup/state-by-hash.ts';
import { openStateTrie, type StateTrie } from '../../../protocol/rollup/state-trie.ts';
import type { Transaction } from '../../../protocol/rollup/transaction.ts';
import { recordOrigin } from '../../../protocol/rollup/transition.ts';
import type { CallState } from './simulate.ts';
import { createTracer } from './trace/create-tracer.ts';
import type { TraceConfig } from './trace/tracer.ts';

export interface TracedTransaction {
  readonly txHash: Hex;
  readonly result: unknown;
}

/**
 * Runs a block of the chain again from the state before it, and tells what happened in one of its transactions, or in all. Throws
 * ROLLUP_DATABASE_INVALID when the replay is another one than the chain's.
 */
export async function replayBlock(
  {
    previous,
    block,
    only,
  }: { readonly previous: BlockHeader; readonly block: Block; readonly only?: number | undefined },
  { state, rules, trace }: CallState & { readonly trace: TraceConfig },
): Promise<TracedTransaction[]> {
  const overlay = createMemoryState(state);
  const blockchain = createAncestors(previous, overlay, rules);
  const open = async (root: Uint8Array): Promise<{ vm: VM; trie: StateTrie }> => {
    const trie = openStateTrie(overlay, root, rules);
    return { trie, vm: await createVM({ common: rules, stateManager: trie.manager, blockchain }) };
  };
  const first = await open(previous.stateRoot);
  await first.vm.evm.journal.checkpoint();
  await recordOrigin(first.vm, block.header);
  await first.vm.evm.journal.commit();
  let root = Buffer.from((await first.trie.commit()).slice(2), 'hex');

  const traced: TracedTransaction[] = [];
  const last = only ?? block.transactions.length - 1;
  let gasUsed = 0n;
  for (const [index, tx] of block.transactions.slice(0, last + 1).entries()) {
    const rootBefore = root;
    const { vm, trie } = await open(rootBefore);
    const isWanted = only === undefined || index === only;
    const tracer = isWanted ? createTracer(trace, describe(tx as Transaction, block.header)) : undefined;
    tracer?.attach(vm);
    const result = await runTx(vm, { tx, block, blockGasUsed: gasUsed, skipHardForkValidation: true });
    trie.assertSound();
    gasUsed += result.totalGasSpent;
    const { execResult, createdAddress } = result;
    root = Buffer.from((await trie.commit()).slice(2), 'hex');
    if (tracer === undefined) continue;
    const end = {
      gasUsed: result.totalGasSpent,
      returned: execResult.returnValue,
      exception: execResult.exceptionError?.error,
      created: createdAddress && bytesToHex(createdAddress.bytes),
    };
    const before = openStateTrie(overlay, rootBefore, rules);
    traced.push({ txHash: bytesToHex(tx.hash()), result: await tracer.result(end, { before, after: trie }) });
  }
  if (only === undefined && gasUsed !== block.header.gasUsed)
    throw new NectarError('ROLLUP_DATABASE_INVALID', { what: `replay of block ${block.header.number}` });
  return traced;
}

function describe(tx: Transaction, header: BlockHeader) {
  return {
    from: bytesToHex(tx.getSenderAddress().bytes),
    to: tx.to && bytesToHex(tx.to.bytes),
    gas: tx.gasLimit,
    value: tx.value,
    input: bytesToHex(tx.data),
    coinbase: bytesToHex(header.coinbase.bytes),
  };
}
