import { type Block, type BlockHeader, createBlock, type HeaderData } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bloomOf } from '../../../protocol/rollup/bloom.ts';
import { orderedRoot } from '../../../protocol/rollup/ordered-root.ts';
import { encodeConsensusReceipt, type TransactionType } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { Called } from './render-simulated.ts';

const ZERO_HASH = new Uint8Array(32);

/** What a simulated block is made of: its header without the results, and these. */
export interface SimulatedParts {
  readonly context: BlockHeader;
  readonly called: readonly Called[];
  readonly stateRoot: Hex;
}

/** The block that nobody makes, as its header would be. Transfers are no logs of it. */
export function sealSimulated({ context, called, stateRoot }: SimulatedParts, common: Rules): Block {
  let gasUsed = 0n;
  const receipts = called.map(({ tx, result }) => {
    gasUsed += result.gasUsed;
    const isOk = result.outcome === 'ok';
    const logs = isOk ? result.logs : [];
    return encodeConsensusReceipt({
      type: tx.type as TransactionType,
      status: isOk ? 1 : 0,
      cumulativeGasUsed: gasUsed,
      bloom: bloomOf(logs),
      logs,
    });
  });
  const header: HeaderData = {
    ...context,
    stateRoot,
    transactionsTrie: orderedRoot(
      called.map(({ tx }) => tx.serialize()),
      common,
    ),
    receiptTrie: orderedRoot(receipts, common),
    withdrawalsRoot: orderedRoot([], common),
    parentBeaconBlockRoot: ZERO_HASH,
    logsBloom: bloomOf(called.flatMap(({ result }) => (result.outcome === 'ok' ? result.logs : []))),
    gasUsed,
  };
  return createBlock({ header, transactions: called.map(({ tx }) => tx), withdrawals: [] }, { common });
}
