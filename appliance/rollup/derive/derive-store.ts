import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { DelayedMessage } from '../../../protocol/rollup/delayed-message.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { DerivedRef, Engine } from './engine.ts';

/** Derivation's state after one L1 block: enough to resume from there, and to recognise that block again. */
export interface L1Record {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
  readonly batchCount: bigint;
  readonly batchAcc: Hex;
  readonly messageCount: bigint;
  /** The number of messages that the last batch obliged L2 to read; all of them are read. */
  readonly messagesAllowed: bigint;
  readonly safe: DerivedRef;
}

/** A delayed message, and what Inbox's accumulator after it binds. */
export interface MessageRecord extends DelayedMessage {
  readonly accumulator: Hex;
  /** The accumulator before it. */
  readonly before: Hex;
  /** Its hash, and the words that it is the Keccak-256 of. */
  readonly hash: Hex;
  readonly words: Hex;
}

/** An L1 block as a place for the origin of an L2 block. */
export type OriginRecord = Pick<L1Record, 'number' | 'hash' | 'timestamp'>;

/** Which batch gave an L2 block, and in which L1 block it came. */
export interface BatchPlace {
  readonly block: bigint;
  readonly sequenceNumber: bigint;
  readonly l1: { readonly number: bigint; readonly hash: Hex };
}

/**
 * One record per L1 block, kept for good (some 300 bytes): blocks may name an old origin, and an L1 restored from an old copy
 * may fork anywhere. The cursor is written with the record it names, after that block's L2 blocks were imported; a crash
 * between the two repeats the import of equal blocks, which changes nothing.
 */
export interface DeriveStore {
  cursor(): Promise<L1Record>;
  /** The cursor, once it was read; undefined before. */
  known(): L1Record | undefined;
  find(number: bigint): Promise<L1Record | undefined>;
  /** As `find`; those asked for last are remembered, for each batch is judged by the same ones. */
  findOrigin(number: bigint): Promise<OriginRecord | undefined>;
  getMessage(index: bigint): Promise<MessageRecord>;
  /** `more`: further records that stand or fall with these. */
  advance(
    record: L1Record,
    messages: readonly MessageRecord[],
    batches?: readonly BatchPlace[],
    more?: ReadonlyMap<string, Uint8Array | undefined>,
  ): Promise<void>;
  /** The batch that holds a safe L2 block; undefined while none does. */
  findBatch(block: bigint): Promise<BatchPlace | undefined>;
  /** The number of batches before this node's history: 0, or what the snapshot that it began with holds. */
  firstBatch(): Promise<bigint>;
  /** Makes an earlier record the cursor. What was above it stays until it is overwritten, and is not found. */
  reset(record: L1Record): Promise<void>;
}

const CURSOR = 'derive/cursor';
const FIRST_BATCH = 'derive/first-batch';
/** More than one batch is judged by (a day of L1 blocks), some 200 bytes each. */
const MAX_ORIGINS = 8_192;

/** The record by which a chain that begins with a snapshot says how many batches lie before it. */
export function firstBatchRecord(count: bigint): readonly [string, Uint8Array] {
  return [FIRST_BATCH, encodeBigintJson(count)];
}

export function createDeriveStore(db: Pick<Engine, 'record' | 'putRecords'>, genesis: L1Record): DeriveStore {
  let cursor: L1Record | undefined;
  const origins = new Map<bigint, OriginRecord>();

  async function read(number: bigint): Promise<L1Record | undefined> {
    if (number === genesis.number) return genesis;
    const bytes = await db.record(recordKey(number));
    return bytes === undefined ? undefined : (parseBigintJson(bytes) as L1Record);
  }

  async function getCursor(): Promise<L1Record> {
    if (cursor !== undefined) return cursor;
    const bytes = await db.record(CURSOR);
    cursor = bytes === undefined ? genesis : await read(parseBigintJson(bytes) as bigint);
    if (cursor === undefined) throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: 'cursor without a record' });
    return cursor;
  }

  async function find(number: bigint): Promise<L1Record | undefined> {
    const { number: last } = await getCursor();
    return number > last || number < genesis.number ? undefined : read(number);
  }

  return {
    cursor: getCursor,
    known: () => cursor,
    find,
    async findOrigin(number) {
      const remembered = origins.get(number);
      if (remembered !== undefined) return remembered;
      const found = await find(number);
      if (found === undefined) return undefined;
      const origin = { number, hash: found.hash, timestamp: found.timestamp };
      origins.set(number, origin);
      const [oldest] = origins.keys();
      if (origins.size > MAX_ORIGINS && oldest !== undefined) origins.delete(oldest);
      return origin;
    },
    async getMessage(index) {
      const bytes = await db.record(messageKey(index));
      if (bytes === undefined) throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: `no message ${index}` });
      return parseBigintJson(bytes) as MessageRecord;
    },
    async findBatch(block) {
      if (block > (await getCursor()).safe.number) return undefined;
      const bytes = await db.record(batchKey(block));
      return bytes === undefined ? undefined : (parseBigintJson(bytes) as BatchPlace);
    },
    async advance(record, messages, batches = [], more = new Map()) {
      const entries: [string, Uint8Array | undefined][] = [
        ...more,
        ...messages.map((message): [string, Uint8Array] => [messageKey(message.index), encodeBigintJson(message)]),
        ...batches.map((batch): [string, Uint8Array] => [batchKey(batch.block), encodeBigintJson(batch)]),
        [recordKey(record.number), encodeBigintJson(record)],
        [CURSOR, encodeBigintJson(record.number)],
      ];
      await db.putRecords(new Map(entries));
      cursor = record;
    },
    async firstBatch() {
      const bytes = await db.record(FIRST_BATCH);
      return bytes === undefined ? 0n : (parseBigintJson(bytes) as bigint);
    },
    async reset(record) {
      await db.putRecords(new Map([[CURSOR, encodeBigintJson(record.number)]]));
      // L1 has other blocks there now.
      origins.clear();
      cursor = record;
    },
  };
}

function recordKey(number: bigint): string {
  return `derive/l1/${number}`;
}

function batchKey(block: bigint): string {
  return `derive/batch-of/${block}`;
}

function messageKey(index: bigint): string {
  return `derive/message/${index}`;
}
