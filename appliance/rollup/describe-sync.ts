import type { Hex } from '../../protocol/brand.ts';
import type { Forced } from './account/forcing.ts';
import type { L1Record } from './derive/derive-store.ts';
import type { Executor } from './execute/executor.ts';
import { SNAPSHOT_RECORD } from './snapshot/import-snapshot.ts';

export function describeSync({ number, hash, batchCount, messageCount }: L1Record): Record<string, unknown> {
  return { l1: describeL1({ number, hash }), batches: hex(batchCount), messages: hex(messageCount) };
}

/** A node that began with a snapshot has no block before it. */
export async function describeHistory(executor: Pick<Executor, 'record'>): Promise<{ historyFrom: Hex }> {
  const bytes = await executor.record(SNAPSHOT_RECORD);
  return { historyFrom: hex(bytes === undefined ? 0n : BigInt(Buffer.from(bytes).toString())) };
}

export function describeForced({ hash, nonce, state, waiting }: Forced): Record<string, unknown> {
  return { hash, nonce: hex(nonce), state, ...(waiting !== undefined && { waiting }) };
}

export function describeL1({ number, hash }: { number: bigint; hash: Hex }): { number: Hex; hash: Hex } {
  return { number: hex(number), hash };
}

export function hex(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
