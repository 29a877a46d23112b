import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import {
  consumable,
  type DelayedMessage,
  MAX_MESSAGES_PER_BLOCK,
  MESSAGE_KINDS,
  type MessageEffects,
} from '../../../protocol/rollup/delayed-message.ts';
import type { BatchArchive } from '../blobs/batch-archive.ts';
import { earliestTimestamp, findBlockFault, type OriginRef } from './batch-rules.ts';
import type { BatchPlace, DeriveStore, L1Record } from './derive-store.ts';
import { type Dropped, encodeDropped, hashOf } from './dropped.ts';
import type { DerivedRef, Engine } from './engine.ts';
import { type BatchInput, type InboxInput, type TrackedBlock, trackInbox } from './inbox-tracker.ts';
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
  /** Malformed is undefined: it holds no block, the same for everybody. */
  readonly decodeBatch: (
    data: Uint8Array,
  ) => readonly BatchBlock[] | undefined | Promise<readonly BatchBlock[] | undefined>;
  /** These transactions come soon: who signed them may be found out while other work is done. */
  readonly expect?: (transactions: readonly Uint8Array[]) => void;
  readonly effectsOf: (messages: readonly DelayedMessage[]) => MessageEffects;
  /** Keeps the data of what was derived; written in one step with it. */
  readonly archive?: Pick<BatchArchive, 'keep'>;
}

/**
 * Turns one L1 block's verified inbox events into safe L2 blocks, then moves the cursor over that block. A total function of L1,
 * written down in docs/design/0013-derivation.md.
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

async function deriveBatch(deps: DeriverDeps, at: Inclusion, batch: BatchInput, progress: Progress): Promise<void> {
  const { sequenceNumber, delayedCount, data } = batch;
  const blocks = data?.length === 0 ? [] : data && (await deps.decodeBatch(data));
  if (blocks === undefined) {
    progress.malformedBatches += 1;
    drop(progress, batch, 'batch', 'malformed');
  }
  for (const [i, input] of (blocks ?? []).entries()) {
    const parent = progress.safe;
    const messages = await readMessages(deps.store, at.tracked, parent.messagesRead);
    const fault = findBlockFault(input, {
      parent,
      origin: await deps.store.find(input.l1Origin.number),
      postedIn: at.block.number,
      delayedCount,
      consumable: consumable(messages.map(({ kind }) => kind)),
    });
    if (fault !== undefined) {
      const reason = `block ${i + 1} of ${blocks?.length} of the batch breaks the rule on ${fault}`;
      const dropped = drop(progress, batch, 'blocks', reason);
      for (const { transactions } of blocks?.slice(i) ?? [])
        for (const raw of transactions) keepLost(progress, at, { ...dropped, hash: hashOf(raw) });
      await discardUnsafe(deps.engine, progress);
      break;
    }
    deps.expect?.(input.transactions);
    deps.expect?.(blocks?.[i + 1]?.transactions ?? []);
    await append(deps, at, { sequenceNumber, input, messages }, progress);
  }
  await fulfil(deps, at, batch, progress);
}

/** The obligation: derivation itself reads the messages that the batch names and its blocks left, whatever the batch held. */
async function fulfil(deps: DeriverDeps, at: Inclusion, batch: BatchInput, progress: Progress): Promise<void> {
  const { before } = at;
  while (progress.safe.messagesRead < batch.delayedCount) {
    const parent = progress.safe;
    const owed = Number(batch.delayedCount - parent.messagesRead);
    const messages = (await readMessages(deps.store, at.tracked, parent.messagesRead)).slice(0, owed);
    const input: BatchBlock = {
      timestamp: earliestTimestamp(parent, before),
      l1Origin: { number: before.number, hash: before.hash },
      delayedMessages: consumable(messages.map(({ kind }) => kind)),
      transactions: [],
    };
    await append(deps, at, { sequenceNumber: batch.sequenceNumber, input, messages }, progress);
    progress.obliged += 1;
  }
}

interface Appended {
  readonly sequenceNumber: bigint;
  readonly input: BatchBlock;
  /** The messages after those that the parent has read; the block consumes the first of them. */
  readonly messages: readonly DelayedMessage[];
}

async function append(deps: DeriverDeps, at: Inclusion, next: Appended, progress: Progress): Promise<void> {
  const { sequenceNumber, input, messages } = next;
  const parent = progress.safe;
  const { deposits, transactions, parameters, ignored } = deps.effectsOf(messages.slice(0, input.delayedMessages));
  const { ref, replaced, dropped } = await deps.engine.appendSafe({
    ...input,
    transactions: [...transactions, ...input.transactions],
    deposits,
    parameters,
  });
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
    const what = index < transactions.length ? 'message' : 'transaction';
    const raw = transactions[index] ?? input.transactions[index - transactions.length];
    const one: Dropped = { ...common, what, reason: obstacle, ...(raw && { hash: hashOf(raw) }) };
    progress.dropped.push(one);
    keepLost(progress, at, one);
  }
  for (const { index, reason } of ignored) {
    const message = messages.find((each) => each.index === index && each.kind === MESSAGE_KINDS.transaction);
    const hash = message && { hash: hashOf(message.data) };
    const one: Dropped = { ...common, what: 'message', reason: `message ${index}: ${reason}`, ...hash };
    progress.dropped.push(one);
    keepLost(progress, at, one);
  }
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

/** The next messages that Inbox has taken up to this L1 block, no more than one block could consume. */
async function readMessages(store: DeriveStore, tracked: TrackedBlock, from: bigint): Promise<DelayedMessage[]> {
  const messages: DelayedMessage[] = [];
  for (let index = from; index < tracked.messageCount && messages.length < MAX_MESSAGES_PER_BLOCK; index += 1n) {
    messages.push(tracked.messages.find((message) => message.index === index) ?? (await store.getMessage(index)));
  }
  return messages;
}
