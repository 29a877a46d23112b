import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import { findBlockFault, type OriginRef } from './batch-rules.ts';
import type { BatchPlace, DeriveStore, L1Record } from './derive-store.ts';
import type { Deposit, DerivedRef, Engine } from './engine.ts';
import { type BatchInput, type InboxInput, type TrackedBlock, trackInbox } from './inbox-tracker.ts';

export interface L1Place extends OriginRef {
  readonly parentHash: string;
}

/** What one L1 block made of L2. */
export interface Derived {
  readonly record: L1Record;
  readonly blocks: number;
  /** L1 contradicted the unsafe chain, which now continues from the safe head. */
  readonly replaced: boolean;
  readonly malformedBatches: number;
}

export interface DeriverDeps {
  readonly store: DeriveStore;
  readonly engine: Engine;
  /** Malformed is undefined: an empty batch, the same for everybody. */
  readonly decodeBatch: (data: Uint8Array) => readonly BatchBlock[] | undefined;
}

/** Turns one L1 block's verified inbox events into safe L2 blocks, then moves the cursor over that block. */
export async function deriveL1Block(
  deps: DeriverDeps,
  before: L1Record,
  block: L1Place,
  events: readonly InboxInput[],
): Promise<Derived> {
  const { store, engine } = deps;
  // A step that broke off half-way left the safe head ahead of the cursor.
  if (engine.heads().safe.hash !== before.safe.hash) await engine.setHeads({ safe: before.safe.number });
  const tracked = await trackInbox(before, block, events, async (index) => (await store.getMessage(index)).accumulator);
  const progress: Progress = { safe: before.safe, places: [], replaced: false, malformedBatches: 0 };
  for (const batch of tracked.batches) await deriveBatch(deps, { before, block, tracked }, batch, progress);
  const record: L1Record = {
    number: block.number,
    hash: block.hash,
    timestamp: block.timestamp,
    batchCount: tracked.batchCount,
    batchAcc: tracked.batchAcc,
    messageCount: tracked.messageCount,
    messagesAllowed: tracked.batches.at(-1)?.afterDelayedMessages ?? before.messagesAllowed,
    safe: progress.safe,
  };
  const { places, replaced, malformedBatches } = progress;
  await store.advance(record, tracked.messages, places);
  return { record, blocks: places.length, replaced, malformedBatches };
}

interface Inclusion {
  readonly before: L1Record;
  readonly block: L1Place;
  readonly tracked: TrackedBlock;
}

interface Progress {
  safe: DerivedRef;
  readonly places: BatchPlace[];
  replaced: boolean;
  malformedBatches: number;
}

async function deriveBatch(deps: DeriverDeps, at: Inclusion, batch: BatchInput, progress: Progress): Promise<void> {
  const blocks = deps.decodeBatch(batch.data);
  if (blocks === undefined) progress.malformedBatches += 1;
  for (const input of blocks ?? []) {
    const parent = progress.safe;
    const origin = await findOrigin(deps.store, at, input.l1Origin.number);
    const fault = findBlockFault(input, {
      parent,
      origin,
      messagesAtOrigin: origin?.messageCount ?? 0n,
      messagesAllowed: batch.afterDelayedMessages,
    });
    if (fault !== undefined) return;
    const deposits = await readDeposits(deps.store, at.tracked, parent.messagesRead, input.delayedMessages);
    const { ref, replaced } = await deps.engine.appendSafe({ ...input, deposits });
    progress.replaced ||= replaced;
    progress.safe = {
      ...ref,
      originNumber: input.l1Origin.number,
      messagesRead: parent.messagesRead + BigInt(input.delayedMessages),
    };
    const { number, hash } = at.block;
    progress.places.push({ block: ref.number, sequenceNumber: batch.sequenceNumber, l1: { number, hash } });
  }
}

/** The canonical L1 block of that number, not after the one that is being derived. */
async function findOrigin(
  store: DeriveStore,
  { block, tracked }: Inclusion,
  number: bigint,
): Promise<(OriginRef & { messageCount: bigint }) | undefined> {
  if (number > block.number) return undefined;
  if (number === block.number) return { ...block, messageCount: tracked.messageCount };
  return store.find(number);
}

async function readDeposits(
  store: DeriveStore,
  tracked: TrackedBlock,
  from: bigint,
  count: number,
): Promise<readonly Deposit[]> {
  const deposits: Deposit[] = [];
  for (let index = from; index < from + BigInt(count); index += 1n) {
    const fresh = tracked.messages.find((message) => message.index === index);
    const { to, amountWei } = fresh ?? (await store.getMessage(index));
    deposits.push({ index, to, amountWei });
  }
  return deposits;
}
