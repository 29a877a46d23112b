import type { Hex } from '../../../protocol/brand.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { DeriveStore } from '../derive/derive-store.ts';
import type { Engine } from '../derive/engine.ts';
import type { L1Header } from '../l1/header.ts';
import type { Assertion, GlobalState } from './assertion.ts';
import { type AssertionBook, applyEvent, EMPTY_BOOK } from './assertion-book.ts';
import type { AssertionEvent } from './rollup-logs.ts';

export interface FollowerDeps {
  /** The L1 blocks that derivation has verified and taken: the follower never runs ahead of it. */
  readonly store: Pick<DeriveStore, 'cursor' | 'find'>;
  readonly engine: Pick<Engine, 'record' | 'putRecords'>;
  readonly l1: {
    headerByNumber(number: bigint, signal: AbortSignal): Promise<L1Header | undefined>;
    headerByTag(tag: 'finalized', signal: AbortSignal): Promise<L1Header | undefined>;
  };
  readonly readEvents: (header: L1Header, signal: AbortSignal) => Promise<readonly AssertionEvent[]>;
}

export interface FollowerOptions {
  /** The L1 block before the contracts. */
  readonly start: { readonly number: bigint; readonly hash: Hex };
  readonly genesis: GlobalState;
}

export interface AssertionFollower {
  /** Follows the Rollup's logs to where derivation is. True once it is there. */
  advance(signal: AbortSignal): Promise<boolean>;
  book(): AssertionBook;
  /** The newest L1 block that the book covers, and the newest of them that L1 calls final. */
  covered(): { readonly head: bigint; readonly finalized: bigint };
}

interface Taken {
  readonly number: bigint;
  readonly hash: Hex;
  readonly events: readonly AssertionEvent[];
}

interface Base {
  readonly number: bigint;
  readonly hash: Hex;
  readonly book: AssertionBook;
}

export const BOOK_RECORD = 'validator/book';
const WINDOW = 16;
/** L1 blocks without an assertion after which the place is written all the same: a restart reads no more than these again. */
const WRITE_EVERY = 256n;

/**
 * Keeps the book of assertions. What L1 calls final is on disk; what is not is kept block by block in memory, so that a reorg of
 * L1 takes back exactly what it took.
 */
export function createAssertionFollower(options: FollowerOptions, deps: FollowerDeps): AssertionFollower {
  const { store, engine, l1 } = deps;
  const first: Base = { ...options.start, book: EMPTY_BOOK };
  let base: Base | undefined;
  let written = first.number;
  const recent: Taken[] = [];
  let finalized = 0n;
  let current = EMPTY_BOOK;

  const apply = (book: AssertionBook, { number, events }: Taken): AssertionBook =>
    events.reduce((so, event) => applyEvent(so, event, { l1Number: number, genesis: options.genesis }), book);

  async function open(): Promise<Base> {
    if (base !== undefined) return base;
    const bytes = await engine.record(BOOK_RECORD);
    base = bytes === undefined ? first : decodeBase(bytes);
    written = base.number;
    return base;
  }

  /** Back to what L1 still has. A book whose own block is gone begins anew: finality itself was taken back. */
  async function dropReplaced(): Promise<void> {
    const isCanonical = async ({ number, hash }: { number: bigint; hash: Hex }): Promise<boolean> =>
      (await store.find(number))?.hash === hash;
    for (let last = recent.at(-1); last !== undefined && !(await isCanonical(last)); last = recent.at(-1)) recent.pop();
    if (recent.length === 0 && !(await isCanonical(await open()))) {
      base = first;
      written = first.number;
    }
  }

  async function take(number: bigint, signal: AbortSignal): Promise<Taken | undefined> {
    const record = await store.find(number);
    const header = record && (await l1.headerByNumber(number, signal));
    // L1 moved meanwhile: derivation sees it first.
    if (record === undefined || header?.hash !== record.hash) return undefined;
    return { number, hash: header.hash, events: await deps.readEvents(header, signal) };
  }

  async function fold(signal: AbortSignal): Promise<void> {
    const header = await l1.headerByTag('finalized', signal);
    const record = header && (await store.find(header.number));
    if (record === undefined || record.hash !== header?.hash) return;
    if (record.number > finalized) finalized = record.number;
    await foldTo(finalized);
  }

  async function foldTo(number: bigint): Promise<void> {
    let next = await open();
    let changed = false;
    for (let oldest = recent[0]; oldest !== undefined && oldest.number <= number; oldest = recent[0]) {
      next = { number: oldest.number, hash: oldest.hash, book: apply(next.book, oldest) };
      changed ||= oldest.events.length > 0;
      recent.shift();
    }
    base = next;
    if (!changed && next.number < written + WRITE_EVERY) return;
    await engine.putRecords(new Map([[BOOK_RECORD, encodeBase(next)]]));
    written = next.number;
  }

  return {
    async advance(signal) {
      const { number: head } = await store.cursor();
      // Derivation went further back than it had to, and comes again.
      if ((await open()).number > head) return false;
      await dropReplaced();
      await fold(signal);
      for (;;) {
        const from = (recent.at(-1) ?? (await open())).number + 1n;
        if (from > head) break;
        const count = Math.min(WINDOW, Number(head - from) + 1);
        const taken = await Promise.all(Array.from({ length: count }, (_, i) => take(from + BigInt(i), signal)));
        const gap = taken.indexOf(undefined);
        recent.push(...(taken.slice(0, gap < 0 ? undefined : gap) as Taken[]));
        await foldTo(finalized);
        if (gap >= 0) break;
      }
      current = recent.reduce(apply, (await open()).book);
      return (recent.at(-1) ?? (await open())).number >= head;
    },
    book: () => current,
    covered: () => ({ head: (recent.at(-1) ?? base ?? first).number, finalized }),
  };
}

interface WrittenBook {
  readonly number: bigint;
  readonly hash: Hex;
  readonly latestConfirmed?: Hex;
  readonly assertions: readonly Assertion[];
}

/** Also how an imported snapshot begins its book. */
export function encodeBase({ number, hash, book }: Base): Uint8Array {
  const { assertions, latestConfirmed } = book;
  const written: WrittenBook = {
    number,
    hash,
    ...(latestConfirmed !== undefined && { latestConfirmed }),
    assertions: [...assertions.values()],
  };
  return encodeBigintJson(written);
}

function decodeBase(bytes: Uint8Array): Base {
  const { number, hash, latestConfirmed, assertions } = parseBigintJson(bytes) as WrittenBook;
  return {
    number,
    hash,
    book: { latestConfirmed, assertions: new Map(assertions.map((node) => [node.nodeId, node])) },
  };
}
