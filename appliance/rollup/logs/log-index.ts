import type { Hex } from '../../../protocol/brand.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import { type BlockSet, createBlockSet, keepCommon, offsetsIn } from './block-set.ts';
import type { Fingerprint, WantedItems } from './log-items.ts';
import {
  decodeSection,
  encodeRows,
  encodeSection,
  findInRow,
  type LogSection,
  rowBitsFor,
  rowOf,
} from './log-section.ts';
import { createLogTail, type LogTail } from './log-tail.ts';

export interface BlockRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** Where logs may be. What the index says nothing about, the caller looks through itself. */
export interface LogPlaces {
  /** The last block that the index speaks of; below `from` when it speaks of none. */
  readonly through: bigint;
  /** Blocks up to there that may hold such logs, rising; no other block does. */
  readonly blocks: readonly bigint[];
}

/** Which blocks hold logs of an address or a topic: sections of blocks on disk, and a tail of the newest in memory. */
export interface LogIndex {
  /** Reads what is on disk; the tail begins after it. */
  load(): Promise<void>;
  /** The first block that is not in it; undefined before it was loaded. */
  next(): bigint | undefined;
  /** Adds the block `next`; `hash` undefined for one that the database does not have. A tail that is full becomes a section first. */
  append(hash: Hex | undefined, fingerprints: readonly number[]): Promise<void>;
  /** Takes back blocks that are canonical no more. */
  dropStale(): Promise<void>;
  /** `onRead` is called before each read of the disk. */
  find(wanted: readonly WantedItems[], range: BlockRange, onRead: () => Promise<void>): Promise<LogPlaces>;
}

export interface LogIndexDeps {
  readonly database: Pick<ChainDatabase, 'record' | 'canonicalHash'>;
  readonly putRecords: (records: ReadonlyMap<string, Uint8Array | undefined>) => Promise<void>;
  readonly fingerprint: Fingerprint;
}

const sectionName = (number: number): string => `logs/section/${number}`;
const rowName = (section: number, row: number): string => `logs/row/${section}/${row}`;
const endOf = ({ first, size }: { readonly first: bigint; readonly size: number }): bigint => first + BigInt(size) - 1n;

export function createLogIndex(deps: LogIndexDeps): LogIndex {
  const { database, putRecords, fingerprint } = deps;
  const sections: LogSection[] = [];
  let tail: LogTail | undefined;

  async function load(): Promise<void> {
    for (;;) {
      const bytes = await database.record(sectionName(sections.length));
      const section = bytes && decodeSection(bytes);
      const last = sections.at(-1);
      if (section === undefined || section.first !== (last === undefined ? 0n : endOf(last) + 1n)) break;
      sections.push(section);
    }
    const last = sections.at(-1);
    tail = createLogTail(last === undefined ? 0n : endOf(last) + 1n);
  }

  /** One atomic step: the rows and the section that names them. */
  async function close(full: LogTail): Promise<void> {
    const entries = full.entries();
    const rowBits = rowBitsFor(entries.fingerprints.length);
    const number = sections.length;
    const section = { first: full.first, size: full.size, rowBits, lastHash: full.hashAt(full.size - 1) };
    const rows = encodeRows(entries, rowBits).map((row, i): [string, Uint8Array] => [rowName(number, i), row]);
    await putRecords(new Map([...rows, [sectionName(number), encodeSection(section)]]));
    sections.push(section);
    tail = createLogTail(endOf(section) + 1n);
  }

  async function dropSection(): Promise<void> {
    const section = sections.pop();
    if (section === undefined) return;
    tail = createLogTail(section.first);
    const number = sections.length;
    const rows = Array.from({ length: 1 << section.rowBits }, (_, row): [string, undefined] => [
      rowName(number, row),
      undefined,
    ]);
    await putRecords(new Map([[sectionName(number), undefined], ...rows]));
  }

  /** How many of the tail's blocks, and of the sections, are of the chain as it is now. */
  async function canonical(of: LogTail): Promise<{ readonly sections: number; readonly tail: number }> {
    for (let size = of.size; size > 0; size--) {
      const number = of.first + BigInt(size) - 1n;
      if ((await database.canonicalHash(number)) === of.hashAt(size - 1))
        return { sections: sections.length, tail: size };
    }
    for (let count = sections.length; count > 0; count--) {
      const section = sections[count - 1] as LogSection;
      if ((await database.canonicalHash(endOf(section))) === section.lastHash) return { sections: count, tail: 0 };
    }
    return { sections: 0, tail: 0 };
  }

  /** The blocks of a section in which something wanted is; undefined when it was taken back meanwhile. */
  async function findInSection(
    number: number,
    { size, rowBits }: LogSection,
    { wanted, onRead }: { readonly wanted: ReadonlySet<number>; readonly onRead: () => Promise<void> },
  ): Promise<BlockSet | undefined> {
    const found = createBlockSet(size);
    const rows = new Set(Array.from(wanted, (each) => rowOf(each, rowBits)));
    for (const row of rows) {
      await onRead();
      const bytes = await database.record(rowName(number, row));
      if (bytes === undefined) return undefined;
      findInRow(bytes, wanted, found);
    }
    return found;
  }

  return {
    load,
    next: () => tail && tail.first + BigInt(tail.size),
    async append(hash, fingerprints) {
      if (tail?.isFull === true) await close(tail);
      tail?.append(hash, fingerprints);
    },
    async dropStale() {
      if (tail === undefined) return;
      const kept = await canonical(tail);
      while (tail.size > kept.tail) tail.pop();
      while (sections.length > kept.sections) await dropSection();
    },
    async find(items, { from, to }, onRead) {
      if (tail === undefined) return { through: from - 1n, blocks: [] };
      const newest = tail;
      const kept = await canonical(newest);
      const wanted = items.map(({ place, values }) => new Set(Array.from(values, (item) => fingerprint(place, item))));
      const blocks: bigint[] = [];
      const take = (part: { first: bigint }, set: BlockSet): void => {
        for (const offset of offsetsIn(set)) {
          const number = part.first + BigInt(offset);
          if (number >= from && number <= to) blocks.push(number);
        }
      };
      let through = -1n;
      for (const [number, section] of sections.slice(0, kept.sections).entries()) {
        // The tail may have become a section meanwhile: it is looked through as the tail that it was.
        if (section.first >= newest.first) break;
        through = endOf(section);
        if (through < from || section.first > to) continue;
        const set = createBlockSet(section.size).fill(255);
        for (const each of wanted) {
          const found = await findInSection(number, section, { wanted: each, onRead });
          if (found === undefined) return { through: section.first - 1n, blocks };
          keepCommon(set, found);
          if (set.every((bits) => bits === 0)) break;
        }
        take(section, set);
      }
      if (kept.tail === 0) return { through, blocks };
      const set = createBlockSet(kept.tail).fill(255);
      for (const each of wanted) keepCommon(set, newest.find(each));
      through = newest.first + BigInt(kept.tail) - 1n;
      take(newest, set);
      return { through, blocks: blocks.filter((number) => number <= through) };
    },
  };
}
