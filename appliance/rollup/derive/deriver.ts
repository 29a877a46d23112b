import type { DerivedInputs, DerivePlace, PlannedBlock } from '../../../machine/host/derive.ts';
import type { GivenPreimages } from '../../../machine/host/given-preimages.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { MESSAGE_KINDS } from '../../../protocol/rollup/delayed-message.ts';
import type { BatchArchive } from '../blobs/batch-archive.ts';
import { messageAt, type PlacedBatch, preimagesGoingOn, preimagesOfBatch } from './batch-preimages.ts';
import type { OriginRef } from './batch-rules.ts';
import type { BatchPlace, DeriveStore, L1Record } from './derive-store.ts';
import { type Dropped, encodeDropped, hashOf } from './dropped.ts';
import type { DerivedRef, Engine } from './engine.ts';
import { type BatchInput, type InboxInput, type TrackedBatch, type TrackedBlock, trackInbox } from './inbox-tracker.ts';
import { encodeInboxTransactions } from './inbox-transactions.ts';

export interface L1Place extends OriginRef {
  readonly parentHash: string;
}

/** What one L1 block made of L2. */
export interface Derived {
  readonly record: L1Record;
  readonly blocks: number;
  /** Blocks that no batch holds: derivation made them to read messages that were owed. */
  readonly obliged: number;
  /** L1 contradicted the unsafe chain, which now continues from the safe head. */
  readonly replaced: boolean;
  readonly malformedBatches: number;
  readonly dropped: readonly Dropped[];
}

export interface DeriverDeps {
  readonly store: DeriveStore;
  readonly engine: Engine;
  /** Where derivation begins: the last L1 block before the contracts. */
  readonly genesis: Pick<L1Record, 'number'>;
  /** The machine: what a batch makes from a place on. Throws ROLLUP_STATE_MISSING for what it was not given. */
  readonly deriveInputs: (place: DerivePlace, preimages: GivenPreimages) => Promise<DerivedInputs>;
  /** These transactions come soon: who signed them may be found out while other work is done. */
  readonly expect?: (transactions: readonly Uint8Array[]) => void;
  /** Keeps the data of what was derived; written in one step with it. */
  readonly archive?: Pick<BatchArchive, 'keep'>;
}

/**
 * Turns one L1 block's verified inbox events into safe L2 blocks, then moves the cursor over that block. A total function of L1,
 * written down in docs/design/0013-derivation.md: the machine says what a batch makes and what of it is dropped; here it is appended
 * block by block, and told.
 */
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
  const progress: Progress = {
    safe: before.safe,
    places: [],
    obliged: 0,
    replaced: false,
    malformedBatches: 0,
    dropped: [],
    lost: new Map(),
  };
  for (const batch of tracked.batches) await deriveBatch(deps, { before, block, tracked }, batch, progress);
  const { safe, places, lost, ...rest } = progress;
  const record: L1Record = {
    number: block.number,
    hash: block.hash,
    timestamp: block.timestamp,
    batchCount: tracked.batchCount,
    batchAcc: tracked.batchAcc,
    messageCount: tracked.messageCount,
    messagesAllowed: tracked.batches.at(-1)?.delayedCount ?? before.messagesAllowed,
    safe,
  };
  const kept = await archive(deps, block, tracked);
  const named = encodeInboxTransactions(tracked.messages);
  await store.advance(record, tracked.messages, places, new Map([...(kept ?? []), ...lost, ...named]));
  return { record, blocks: places.length, ...rest };
}

async function archive(deps: DeriverDeps, { number, hash }: L1Place, { batches }: TrackedBlock) {
  const kept = batches.map(({ sequenceNumber, dataHash, delayedCount, source, content }) => {
    return { batch: { sequenceNumber, dataHash, delayedCount, source, l1: { number, hash } }, data: content };
  });
  return deps.archive?.keep(kept);
}

interface Inclusion {
  readonly before: L1Record;
  readonly block: L1Place;
  readonly tracked: TrackedBlock;
}

interface Progress {
  safe: DerivedRef;
  readonly places: BatchPlace[];
  obliged: number;
  replaced: boolean;
  malformedBatches: number;
  readonly dropped: Dropped[];
  /** Records of the transactions among it. */
  readonly lost: Map<string, Uint8Array>;
}

async function deriveBatch(deps: DeriverDeps, at: Inclusion, batch: TrackedBatch, progress: Progress): Promise<void> {
  for (let offset: bigint | undefined = 0n; offset !== undefined; ) {
    const { isMalformed, broken, lost, blocks, next } = await planFrom(deps, { ...at, batch }, offset, progress.safe);
    if (isMalformed) {
      progress.malformedBatches += 1;
      drop(progress, batch, 'batch', 'malformed');
    }
    const own = blocks.filter(({ isObliged }) => !isObliged);
    await appendAll(deps, at, { batch, blocks: own }, progress);
    if (broken !== undefined) await dropRest(deps, at, { batch, broken, lost }, progress);
    await appendAll(deps, at, { batch, blocks: blocks.slice(own.length) }, progress);
    offset = next;
  }
}

/** What the machine makes of the batch from this offset on. It has the batch open when it goes on, unless its thread ended. */
async function planFrom(deps: DeriverDeps, at: PlacedBatch, offset: bigint, head: DerivedRef): Promise<DerivedInputs> {
  const place = { deployedAt: deps.genesis.number, accumulator: at.batch.afterAcc, head: head.hash, offset };
  if (offset > 0n) {
    try {
      return await deps.deriveInputs(place, await preimagesGoingOn(deps, at, head));
    } catch (error) {
      if (!isNectarError(error, 'ROLLUP_STATE_MISSING')) throw error;
    }
  }
  return deps.deriveInputs(place, await preimagesOfBatch(deps, at, head));
}

async function appendAll(
  deps: DeriverDeps,
  at: Inclusion,
  { batch, blocks }: { readonly batch: TrackedBatch; readonly blocks: readonly PlannedBlock[] },
  progress: Progress,
): Promise<void> {
  for (const [i, planned] of blocks.entries()) {
    deps.expect?.(planned.input.transactions);
    deps.expect?.(blocks[i + 1]?.input.transactions ?? []);
    await append(deps, at, { sequenceNumber: batch.sequenceNumber, planned }, progress);
    if (planned.isObliged) progress.obliged += 1;
  }
}

interface Rest extends Pick<DerivedInputs, 'lost'> {
  readonly batch: TrackedBatch;
  readonly broken: NonNullable<DerivedInputs['broken']>;
}

/** A block broke a rule: it goes with the rest of its batch. */
async function dropRest(deps: DeriverDeps, at: Inclusion, rest: Rest, progress: Progress): Promise<void> {
  const { batch, broken, lost } = rest;
  const reason = `block ${broken.index + 1} of ${broken.count} of the batch breaks the rule on ${broken.rule}`;
  const dropped = drop(progress, batch, 'blocks', reason);
  for (const hash of lost) keepLost(progress, at, { ...dropped, hash });
  await discardUnsafe(deps.engine, progress);
}

interface Appended {
  readonly sequenceNumber: bigint;
  readonly planned: PlannedBlock;
}

async function append(deps: DeriverDeps, at: Inclusion, next: Appended, progress: Progress): Promise<void> {
  const { sequenceNumber, planned } = next;
  const { input, forced, ignored } = planned;
  const parent = progress.safe;
  const { ref, replaced, dropped } = await deps.engine.appendSafe(input);
  progress.replaced ||= replaced;
  progress.safe = {
    ...ref,
    originNumber: input.l1Origin.number,
    messagesRead: parent.messagesRead + BigInt(input.delayedMessages),
  };
  const { number, hash } = at.block;
  progress.places.push({ block: ref.number, sequenceNumber, l1: { number, hash } });
  const common = { sequenceNumber, block: ref.number };
  for (const { index, obstacle } of dropped) {
    const raw = input.transactions[index];
    const what = index < forced ? 'message' : 'transaction';
    noteLost(progress, at, { ...common, what, reason: obstacle, ...(raw && { hash: hashOf(raw) }) });
  }
  for (const { index, reason } of ignored) {
    const { kind, data } = await messageAt(deps.store, at.tracked, index);
    const signed = kind === MESSAGE_KINDS.transaction && { hash: hashOf(data) };
    noteLost(progress, at, { ...common, what: 'message', reason: `message ${index}: ${reason}`, ...signed });
  }
}

function noteLost(progress: Progress, at: Inclusion, dropped: Dropped): void {
  progress.dropped.push(dropped);
  keepLost(progress, at, dropped);
}

function drop(progress: Progress, { sequenceNumber }: BatchInput, what: Dropped['what'], reason: string): Dropped {
  const dropped = { what, sequenceNumber, block: progress.safe.number + 1n, reason };
  progress.dropped.push(dropped);
  return dropped;
}

/** For nectar_transactionStatus: written with what this L1 block made. */
function keepLost({ lost }: Progress, { block }: Inclusion, { hash, ...dropped }: Dropped): void {
  if (hash === undefined) return;
  lost.set(...encodeDropped(hash, { ...dropped, l1: { number: block.number, hash: block.hash } }));
}

/** What broke a rule once breaks it again: the sequencer has to build it anew. */
async function discardUnsafe(engine: Engine, progress: Progress): Promise<void> {
  if (engine.heads().unsafe.number <= progress.safe.number) return;
  await engine.rewind(progress.safe.number);
  progress.replaced = true;
}
