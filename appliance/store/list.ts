import { openValue, SEALED_VALUE_RANDOM_BYTES, sealValue } from '../../protocol/envelope/sealed-value.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { getVersion, type StoreCore } from './core.ts';
import { decodeEntry, type HeadEntry, type ListingEntry, recordMeta, type VersionEntry } from './entries.ts';
import type { RangeOptions } from './index-db.ts';
import type { ListQuery, RecordMeta, RecordPage } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import { checkText, invalid, MAX_LABEL_BYTES } from './put-input.ts';
import { readMany } from './read-many.ts';

const MAX_PAGE = 1000;
/** Records looked up at a time. */
const BATCH = 128;
const MAX_CURSOR_CHARACTERS = 512;
/** A page ends after so many: an index in ruins does not keep a request busy. */
const MAX_DAMAGED_OF_PAGE = 1_000;

/** A page of records, in the order of their creation or against it, each in its latest version. Audited before it returns. */
export async function listRecords(core: StoreCore, query: ListQuery, context: AccessContext): Promise<RecordPage> {
  const { label, limit, cursor, order = 'oldest' } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) throw invalid('limit', `1 to ${MAX_PAGE}`);
  if (label !== undefined) checkText('label', label, MAX_LABEL_BYTES);
  const range = { ...core.keys.listings(label), reverse: order === 'newest' };
  const place = cursorPlace(label, order);
  const at = cursor === undefined ? undefined : openCursor(core, place, cursor);
  const from = at === undefined ? range : order === 'newest' ? { ...range, lt: at } : { ...range, gt: at };
  const records: RecordMeta[] = [];
  let last: Uint8Array | undefined;
  let more = false;
  let damaged = 0;
  for await (const { key, meta } of findMetas(core, from, Math.min(BATCH, limit + 1))) {
    if (records.length >= limit || damaged >= MAX_DAMAGED_OF_PAGE) {
      more = true;
      break;
    }
    if (meta === 'damaged') damaged += 1;
    else if (meta !== undefined) records.push(meta);
    last = key;
  }
  const detail = { results: records.length, filter: label === undefined ? 'none' : 'label' };
  await core.deps.audit.append({ type: 'record.query', outcome: 'success', context, detail });
  return {
    records,
    ...(more && last !== undefined ? { cursor: sealCursor(core, place, last) } : {}),
    ...(damaged > 0 ? { damaged } : {}),
  };
}

interface Found {
  readonly key: Uint8Array;
  readonly meta: RecordMeta | 'damaged' | undefined;
}

interface Listed {
  readonly key: Uint8Array;
  readonly entry: ListingEntry | undefined;
}

/** What listing entries lead to, in their order, many looked up at a time: two reads of the index for all of them. */
async function* findMetas(core: StoreCore, from: RangeOptions, batch: number): AsyncGenerator<Found> {
  let waiting: Listed[] = [];
  const look = async (): Promise<Found[]> => {
    const taken = waiting;
    waiting = [];
    const metas = await lookUp(core, taken);
    return Promise.all(
      taken.map(async ({ key, entry }, i) => ({
        key,
        meta: entry === undefined ? ('damaged' as const) : (metas[i] ?? (await findMeta(core, entry))),
      })),
    );
  };
  const broken = (key: Uint8Array): void => {
    waiting.push({ key, entry: undefined });
  };
  for await (const { key, value } of core.db.range(from, broken)) {
    waiting.push({ key, entry: decodeEntry<ListingEntry>(value) });
    if (waiting.length >= batch) yield* await look();
  }
  yield* await look();
}

/** Those that are as they should be; undefined where somebody has to look closer. */
async function lookUp(core: StoreCore, listed: readonly Listed[]): Promise<(RecordMeta | undefined)[]> {
  // What an index that is behind lacks is asked for one by one.
  if (core.index.condition.state === 'behind') return [];
  const ids = listed.map(({ entry }) => entry?.recordId);
  const heads = await readMany<HeadEntry>(
    core,
    ids.map((id) => (id === undefined ? undefined : core.keys.head(id))),
  );
  const versions = await readMany<VersionEntry>(
    core,
    heads.map((head) =>
      head === undefined || head.shredded !== undefined ? undefined : core.keys.version(head.recordId, head.latest),
    ),
  );
  return versions.map((entry) => (entry === undefined ? undefined : recordMeta(entry, core.holders.counts)));
}

/** undefined for a record that was destroyed while the page was read: one bad value leaves the rest of the page as it is. */
async function findMeta(core: StoreCore, { recordId }: ListingEntry): Promise<RecordMeta | 'damaged' | undefined> {
  try {
    return recordMeta(await getVersion(core, recordId), core.holders.counts);
  } catch (error) {
    if (isNectarError(error, 'STORE_RECORD_SHREDDED')) return undefined;
    if (isNectarError(error, 'STORE_RECORD_LOST')) return undefined;
    // A listing without its head is what a removed head leaves.
    if (isNectarError(error, 'STORE_INDEX_CORRUPT') || isNectarError(error, 'STORE_RECORD_NOT_FOUND')) return 'damaged';
    throw error;
  }
}

/** Sealed: a cursor shows no database key, and one of another query or of nobody is refused. */
function sealCursor(core: StoreCore, place: Uint8Array, key: Uint8Array): string {
  const random = core.deps.randomBytes(SEALED_VALUE_RANDOM_BYTES);
  const sealed = sealValue(core.deps.crypto, core.keys.cursorKey, { place, value: key, random });
  return Buffer.from(sealed).toString('base64url');
}

function openCursor(core: StoreCore, place: Uint8Array, cursor: string): Uint8Array {
  if (cursor.length > MAX_CURSOR_CHARACTERS) throw new NectarError('STORE_CURSOR_INVALID', {});
  const sealed = Buffer.from(cursor, 'base64url');
  const key = openValue(core.deps.crypto, core.keys.cursorKey, { place, sealed });
  if (key === undefined) throw new NectarError('STORE_CURSOR_INVALID', {});
  return key;
}

/** A cursor goes on in the list, and in the order, that it is of. */
function cursorPlace(label: string | undefined, order: 'oldest' | 'newest'): Uint8Array {
  const list = label === undefined ? 'all' : `label ${label}`;
  return Buffer.from(order === 'oldest' ? list : `newest ${list}`);
}
