import type { Block } from '@ethereumjs/block';
import { nextBaseFee } from '../../../protocol/rollup/block-input.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { capped, parseQuantity, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { invalidParams } from './rpc-error.ts';

/** How many blocks one fee history may cover. */
const MAX_HISTORY_BLOCKS = 1_024n;
const MAX_PERCENTILES = 100;
/** The sequencer orders by arrival: a priority fee buys nothing, one wei shows that the field was understood. */
const PRIORITY_FEE_WEI = 1n;

function parsePercentiles(value: unknown): number[] {
  if (value === undefined || value === null) return [];
  const isPercentile = (item: unknown): item is number => typeof item === 'number' && item >= 0 && item <= 100;
  if (!Array.isArray(value) || value.length > MAX_PERCENTILES || !value.every(isPercentile)) {
    throw invalidParams('reward percentiles are not a short list of 0 to 100');
  }
  return value;
}

/** Fee suggestions and history. */
export function createFeeMethods(view: ChainView): RpcMethods {
  /** Priority fees of a block at percentiles of its gas. */
  async function rewards(block: Block, percentiles: number[]): Promise<string[]> {
    const baseFee = block.header.baseFeePerGas ?? 0n;
    const paid = (await view.receipts(block.header))
      .map(({ effectiveGasPrice, gasUsed }) => ({ fee: effectiveGasPrice - baseFee, gasUsed }))
      .sort((a, b) => (a.fee < b.fee ? -1 : a.fee > b.fee ? 1 : 0));
    return percentiles.map((percentile) => {
      const target = (Number(block.header.gasUsed) * percentile) / 100;
      let gas = 0;
      for (const { fee, gasUsed } of paid) {
        gas += Number(gasUsed);
        if (gas >= target) return quantity(fee);
      }
      return '0x0';
    });
  }

  async function history([count, newest, percentiles]: readonly unknown[]) {
    const asked = parseQuantity(count, 'block count');
    const wanted = parsePercentiles(percentiles);
    const last = await view.getHeader(parseSelector(newest));
    const length = capped(capped(asked, MAX_HISTORY_BLOCKS), last.number + 1n);
    const oldest = last.number + 1n - length;
    const blocks: Block[] = [];
    for (let number = oldest; number <= last.number; number += 1n) {
      const block = await view.findBlock({ number });
      if (block !== undefined) blocks.push(block);
    }
    return {
      oldestBlock: quantity(oldest),
      baseFeePerGas: [...blocks.map(({ header }) => header.baseFeePerGas ?? 0n), nextBaseFee(last)].map(quantity),
      gasUsedRatio: blocks.map(({ header }) => Number(header.gasUsed) / Number(header.gasLimit)),
      ...(wanted.length > 0 && { reward: await Promise.all(blocks.map((block) => rewards(block, wanted))) }),
    };
  }

  return {
    async eth_gasPrice() {
      const header = await view.getHeader({ tag: 'latest' });
      return quantity(nextBaseFee(header) + PRIORITY_FEE_WEI);
    },
    eth_maxPriorityFeePerGas: () => quantity(PRIORITY_FEE_WEI),
    async eth_baseFee() {
      const header = await view.getHeader({ tag: 'latest' });
      return quantity(header.calcNextBaseFee());
    },
    async eth_blobBaseFee() {
      const header = await view.getHeader({ tag: 'latest' });
      return quantity(header.getBlobGasPrice());
    },
    eth_feeHistory: history,
  };
}
