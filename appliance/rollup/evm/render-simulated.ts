import type { Block } from '@ethereumjs/block';
import type { FeeMarket1559Tx, LegacyTx } from '@ethereumjs/tx';
import type { MachineCallResult } from '../../../machine/host/call-results.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { ReceiptLog } from '../../../protocol/rollup/receipt.ts';
import { quantity, renderBlock, renderTransaction } from '../rpc/render.ts';
import { haltWords } from './evm-words.ts';
import { revertReason } from './revert-reason.ts';
import { SIMULATION_CODE } from './simulation-code.ts';

export type UnsignedTx = LegacyTx | FeeMarket1559Tx;

/** A call that ran, and the logs that stand. */
export interface Called {
  readonly tx: UnsignedTx;
  readonly result: MachineCallResult;
  /** Transfers among them, when they were asked for. */
  readonly logs: readonly ReceiptLog[];
}

/** A simulated block as eth_simulateV1 gives it. */
export function renderSimulated(block: Block, done: readonly Called[], full: boolean): Record<string, unknown> {
  const place = {
    blockHash: bytesToHex(block.hash()),
    blockNumber: quantity(block.header.number),
    blockTimestamp: quantity(block.header.timestamp),
  };
  let logIndex = 0;
  const calls = done.map(({ tx, result, logs }, index) => {
    const spent = { returnData: bytesToHex(result.output), gasUsed: quantity(result.gasUsed) };
    if (result.outcome !== 'ok') return { status: '0x0', ...spent, error: errorOf(result) };
    const rendered = logs.map((log) => ({
      ...log,
      ...place,
      transactionHash: bytesToHex(tx.hash()),
      transactionIndex: quantity(index),
      logIndex: quantity(logIndex++),
      removed: false,
    }));
    return { status: '0x1', ...spent, logs: rendered };
  });
  // The block's own transactions do not know who sent them.
  const transactions = done.map(({ tx }, index) => renderTransaction(tx, { block, index }));
  return { ...renderBlock(block, false), ...(full && { transactions }), calls };
}

function errorOf({ outcome, reason: halt, output }: MachineCallResult): Record<string, unknown> {
  if (outcome !== 'reverted') return { code: SIMULATION_CODE.vm, message: `vm execution error: ${haltWords(halt)}` };
  const reason = revertReason(output);
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
  return { code: SIMULATION_CODE.reverted, message, data: bytesToHex(output) };
}
