import type { Block, BlockHeader } from '@ethereumjs/block';
import type { MachineCallResult } from '../../../machine/host/call-results.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { inputOfBlock } from '../../../protocol/rollup/unsafe-block.ts';
import type { EvmMachine } from './evm-machine.ts';
import { renderTrace, wantedOf } from './trace/render-trace.ts';
import type { TraceConfig } from './trace/trace-config.ts';

export interface TracedTransaction {
  readonly txHash: Hex;
  readonly result: unknown;
}

/** A block of the chain; `only` is the one transaction that is traced, all when absent. */
export interface Replayed {
  readonly previous: BlockHeader;
  readonly block: Block;
  readonly only?: number | undefined;
}

/**
 * Runs a block of the chain again from the state before it, and tells what happened in one of its transactions, or in all. Throws
 * ROLLUP_DATABASE_INVALID when the replay is another one than the chain's.
 */
export function replayBlock(replayed: Replayed, evm: EvmMachine, trace: TraceConfig): TracedTransaction[] {
  const { block, only } = replayed;
  const results = runAgain(replayed, evm, trace);
  const first = only ?? 0;
  const traced = results.map((result, at) => {
    const tx = block.transactions[first + at];
    if (tx === undefined) throw anotherReplay(block);
    const call = {
      from: bytesToHex(tx.getSenderAddress().bytes),
      to: tx.to && bytesToHex(tx.to.bytes),
      gas: tx.gasLimit,
      value: tx.value,
      input: bytesToHex(tx.data),
    };
    return { txHash: bytesToHex(tx.hash()), result: renderTrace(trace, call, result) };
  });
  const gasUsed = results.reduce((sum, result) => sum + result.gasUsed, 0n);
  if (only === undefined && gasUsed !== block.header.gasUsed) throw anotherReplay(block);
  return traced;
}

function runAgain({ previous, block, only }: Replayed, evm: EvmMachine, trace: TraceConfig): MachineCallResult[] {
  const senders = block.transactions.map((tx) => bytesToHex(tx.getSenderAddress().bytes));
  const input = { ...inputOfBlock(block, previous), senders };
  try {
    return evm.machine.traceBlock(previous.serialize(), input, wantedOf(trace), only);
  } catch (cause) {
    // A transaction that the chain has does not run.
    if (isNectarError(cause, 'ROLLUP_BLOCK_INPUT_INVALID')) throw anotherReplay(block, cause);
    throw cause;
  }
}

function anotherReplay(block: Block, cause?: unknown): NectarError {
  return new NectarError('ROLLUP_DATABASE_INVALID', { what: `replay of block ${block.header.number}` }, { cause });
}
