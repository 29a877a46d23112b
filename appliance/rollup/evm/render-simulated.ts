import type { Block } from '@ethereumjs/block';
import type { FeeMarket1559Tx, LegacyTx } from '@ethereumjs/tx';
import type { RunTxResult } from '@ethereumjs/vm';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { ReceiptLog } from '../../../protocol/rollup/receipt.ts';
import { revertReason } from '../execute/revert-reason.ts';
import { quantity, renderBlock, renderTransaction } from '../rpc/render.ts';
import { SIMULATION_CODE } from './simulation-code.ts';

export type UnsignedTx = LegacyTx | FeeMarket1559Tx;

/** A call that ran, and the logs that stand. */
export interface Called {
  readonly tx: UnsignedTx;
  readonly result: RunTxResult;
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
    const { execResult, totalGasSpent } = result;
    const spent = { returnData: bytesToHex(execResult.returnValue), gasUsed: quantity(totalGasSpent) };
    const { exceptionError } = execResult;
    if (exceptionError !== undefined)
      return { status: '0x0', ...spent, error: errorOf(exceptionError.error, execResult.returnValue) };
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

function errorOf(exception: string, returned: Uint8Array): Record<string, unknown> {
  if (exception !== 'revert') return { code: SIMULATION_CODE.vm, message: `vm execution error: ${exception}` };
  const reason = revertReason(returned);
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
  return { code: SIMULATION_CODE.reverted, message, data: bytesToHex(returned) };
}
