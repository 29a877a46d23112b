import { randomBytes } from 'node:crypto';
import { NectarError } from '../../protocol/errors.ts';
import { auditFacts, matchesFacts } from '../../protocol/merkle/audit-facts.ts';
import {
  type AuditFilter,
  describeAuditFilter,
  isLeafFilter,
  matchesLeaf,
} from '../../protocol/merkle/audit-filter.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { bundleOf } from './bundle-file.ts';
import { mayHoldOf } from './bundle-terms.ts';
import type { AccessContext } from './event.ts';
import type { AuditEntry, Reader, Selection } from './reader.ts';

/** Most entries that one page has. */
const MAX_PAGE_ENTRIES = 1_000;
/** Most leaves that one page looks at, found or not: a long search is many short requests, each of which can be the last. */
const MAX_PAGE_LEAVES = 32 * TILE_WIDTH;
/** Readings that can be gone on with; the one that nobody went on with for longest is forgotten first. */
const MAX_READINGS = 64;
/** A reading that goes on for longer is logged anew: nobody reads on today what he was seen to begin last week. */
const MAX_READING_MS = 60 * 60 * 1_000;

/** What to read. */
export interface AuditQuery {
  readonly filter: AuditFilter;
  /** The patient's records by the labels of today, in addition to those that name the patient in the event. */
  readonly records?: readonly string[];
  /** Most entries of the page. */
  readonly limit: number;
  /** From this leaf on, forwards, and what comes later when the page is asked for again; else from the newest one backwards. */
  readonly after?: number;
  /** Goes on with an earlier reading, whose filter holds; everything but `limit` is then left out. */
  readonly cursor?: string;
}

/** A page of entries. */
export interface AuditPage {
  /** Oldest first, whichever way the pages go. */
  readonly entries: readonly AuditEntry[];
  /** To go on with; absent when nothing is left. A reading forwards always has one. */
  readonly cursor?: string;
  /** The leaves that this page looked at: `[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** Leaves whose erased bodies no longer tell whether they were meant. */
  readonly undecided: number;
}

/** Reads by filter. One `audit.read` stands in the log for a whole reading, before its first page: filter, range, and by whom. */
export interface Queries {
  page(query: AuditQuery, context: AccessContext, signal?: AbortSignal): Promise<AuditPage>;
}

export interface QueriesDeps {
  /** The open log, asked for at every page. */
  readonly open: () => { readonly reader: Reader; readonly leaves: { size(): number } };
  readonly logReading: (context: AccessContext, detail: Record<string, string | number>) => Promise<void>;
  readonly now: () => number;
}

interface Reading {
  readonly filter: AuditFilter;
  readonly selection: Selection;
  readonly reader: string;
  readonly forwards: boolean;
  /** What the log says this reading covers; a forward one has no end. */
  readonly begin: number;
  readonly end: number;
  readonly loggedAt: number;
}

interface Begun {
  readonly id: string;
  readonly reading: Reading;
  /** Where the page begins, in the direction of the reading. */
  readonly at: number;
}

export function createQueries({ open, logReading, now }: QueriesDeps): Queries {
  const readings = new Map<string, Reading>();

  function remember(id: string, reading: Reading): void {
    readings.delete(id);
    readings.set(id, reading);
    const [oldest] = readings.keys();
    if (readings.size > MAX_READINGS && oldest !== undefined) readings.delete(oldest);
  }

  async function begin(query: AuditQuery, context: AccessContext): Promise<Begun> {
    const { filter, after } = query;
    const size = open().leaves.size();
    const range = after === undefined ? { begin: 0, end: size } : { begin: after, end: Number.MAX_SAFE_INTEGER };
    const records = query.records === undefined ? undefined : new Set(query.records);
    const reading: Reading = {
      filter,
      selection: selectionOf(filter, records),
      reader: readerOf(context),
      forwards: after !== undefined,
      ...range,
      loggedAt: now(),
    };
    await logReading(context, detailOf(reading, size));
    return { id: randomBytes(16).toString('hex'), reading, at: after ?? size };
  }

  async function goOn(cursor: string, context: AccessContext): Promise<Begun> {
    const [, id = '', place = ''] = /^([0-9a-f]{32})\.(\d{1,16})$/.exec(cursor) ?? [];
    const at = Number(place);
    const found = readings.get(id);
    if (found === undefined || found.reader !== readerOf(context) || at < found.begin || at > found.end)
      throw new NectarError('AUDIT_CURSOR_INVALID', { reason: 'no such reading of yours is open' });
    if (now() - found.loggedAt < MAX_READING_MS) return { id, reading: found, at };
    const reading = { ...found, loggedAt: now() };
    await logReading(context, detailOf(reading, open().leaves.size()));
    return { id, reading, at };
  }

  return {
    async page(query, context, signal) {
      const begun = query.cursor === undefined ? await begin(query, context) : await goOn(query.cursor, context);
      const { id, reading, at } = begun;
      remember(id, reading);
      const limit = Math.max(1, Math.min(Math.trunc(query.limit), MAX_PAGE_ENTRIES));
      const search = { reader: open().reader, selection: reading.selection, limit, signal };
      if (reading.forwards) {
        const to = Math.max(at, open().leaves.size());
        const { next, ...page } = await searchForwards({ from: at, to }, search);
        return { ...page, cursor: `${id}.${next}` };
      }
      const { next, ...page } = await searchBackwards({ from: reading.begin, to: at }, search);
      if (next > reading.begin) return { ...page, cursor: `${id}.${next}` };
      readings.delete(id);
      return page;
    },
  };
}

type Found = Omit<AuditPage, 'cursor'> & { readonly next: number };

interface Search {
  readonly reader: Reader;
  readonly selection: Selection;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

/** A bundle at a time from the end: a page may end inside a bundle, whose older entries the next page then finds. */
async function searchBackwards({ from, to }: { from: number; to: number }, search: Search): Promise<Found> {
  let entries: AuditEntry[] = [];
  let undecided = 0;
  let next = to;
  const stop = Math.max(from, to - MAX_PAGE_LEAVES);
  while (next > stop && entries.length < search.limit) {
    search.signal?.throwIfAborted();
    const begin = Math.max(from, bundleOf(next - 1) * TILE_WIDTH);
    const found = await search.reader.select({ begin, end: next }, search.selection);
    const room = search.limit - entries.length;
    const kept = found.entries.slice(-room);
    entries = [...kept, ...entries];
    next = kept.length < found.entries.length ? (kept[0]?.index ?? begin) : begin;
    undecided += found.undecided.filter((index) => index >= next).length;
  }
  return { entries, from: next, to, undecided, next };
}

async function searchForwards({ from, to }: { from: number; to: number }, search: Search): Promise<Found> {
  const entries: AuditEntry[] = [];
  let undecided = 0;
  let next = from;
  const stop = Math.min(to, from + MAX_PAGE_LEAVES);
  while (next < stop && entries.length < search.limit) {
    search.signal?.throwIfAborted();
    const end = Math.min(to, (bundleOf(next) + 1) * TILE_WIDTH);
    const found = await search.reader.select({ begin: next, end }, search.selection);
    const kept = found.entries.slice(0, search.limit - entries.length);
    entries.push(...kept);
    next = kept.length < found.entries.length ? (kept.at(-1)?.index ?? next) + 1 : end;
    undecided += found.undecided.filter((index) => index < next).length;
  }
  return { entries, from, to: next, undecided, next };
}

/** What a filter selects. A whole record id stands in every body that is meant, so that the others need not be parsed. */
export function selectionOf(filter: AuditFilter, records?: ReadonlySet<string>): Selection {
  const leaf: Selection['leaf'] = (each) => matchesLeaf(filter, each);
  if (isLeafFilter(filter)) return { leaf, body: undefined };
  const wants = (body: unknown): boolean => matchesFacts(filter, auditFacts(body), records);
  const mayHold = mayHoldOf(filter, records);
  return { leaf, body: { wants, mayHold, ...(filter.record !== undefined && { holds: filter.record }) } };
}

function detailOf({ filter, forwards, begin, end }: Reading, size: number): Record<string, string | number> {
  return { filter: describeAuditFilter(filter), from: begin, ...(forwards ? { follows: 1, size } : { to: end }) };
}

/** Who began a reading: only the same caller goes on with it. */
function readerOf({ actor: { subject, tokenId } }: AccessContext): string {
  return JSON.stringify([subject, tokenId ?? null]);
}
