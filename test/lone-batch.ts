import { keccak256 } from 'ethers';
import { preimagesOfBatch } from '../appliance/rollup/derive/batch-preimages.ts';
import type { DeriveStore, L1Record, OriginRecord } from '../appliance/rollup/derive/derive-store.ts';
import { batchWords, trackInbox } from '../appliance/rollup/derive/inbox-tracker.ts';
import type { DerivePlace } from '../machine/host/derive.ts';
import type { GivenPreimages } from '../machine/host/given-preimages.ts';
import type { Hex } from '../protocol/brand.ts';

export interface LoneHead {
  readonly hash: Hex;
  /** RLP. */
  readonly header: Uint8Array;
  readonly timestamp: bigint;
}

const ZERO: Hex = `0x${'00'.repeat(32)}`;

/** A batch in calldata that names no messages, one L1 block after the origin of its blocks: what a node asks the machine about it. */
export async function loneBatch(
  bytes: Uint8Array,
  { hash, header, timestamp }: LoneHead,
  origin: OriginRecord,
): Promise<{ readonly place: DerivePlace; readonly preimages: GivenPreimages }> {
  const safe = { number: 0n, hash, timestamp, originNumber: origin.number, messagesRead: 0n };
  const counts = { batchCount: 0n, batchAcc: ZERO, messageCount: 0n, messagesAllowed: 0n };
  const before: L1Record = { ...origin, ...counts, safe };
  const store = { findOrigin: async () => undefined } as unknown as DeriveStore;
  const at = { number: origin.number + 1n, timestamp: origin.timestamp + 12n, parentHash: origin.hash };
  const dataHash = keccak256(bytes) as Hex;
  const event = { kind: 'batch', sequenceNumber: 0n, beforeAcc: ZERO, dataHash, delayedCount: 0n } as const;
  const content = { source: 'calldata', bytes } as const;
  const afterAcc = keccak256(batchWords({ ...event, source: 'calldata' }, ZERO, at)) as Hex;
  const tracked = await trackInbox(before, at, [{ ...event, afterAcc, source: 'calldata', content }], async () => ZERO);
  const [batch] = tracked.batches;
  if (batch === undefined) throw new RangeError('the batch was not taken');
  const place = { deployedAt: origin.number, accumulator: afterAcc, head: hash, offset: 0n };
  const placed = { batch, tracked, before };
  return { place, preimages: await preimagesOfBatch({ store, engine: { header: async () => header } }, placed, safe) };
}
