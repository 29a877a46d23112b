import { NectarError } from '../../../protocol/errors.ts';
import type { L1Record } from './derive-store.ts';
import { type Derived, type DeriverDeps, deriveL1Block, type L1Place } from './deriver.ts';
import { findRecordBack } from './find-record-back.ts';
import type { InboxInput } from './inbox-tracker.ts';
import { discardOrphanedUnsafe, expireUnsafe } from './unsafe-origins.ts';

/** What derivation consumes of l1/. */
export interface L1View {
  verifyChain(signal: AbortSignal): Promise<void>;
  headerByTag(tag: 'latest' | 'finalized', signal: AbortSignal): Promise<L1Place | undefined>;
  headerByNumber(number: bigint, signal: AbortSignal): Promise<L1Place | undefined>;
  inboxEvents(header: never, signal: AbortSignal): Promise<readonly InboxInput[]>;
}

/** Headers asked for at once while catching up: a round trip each, so the wait is shared. */
const HEADER_WINDOW = 16n;

export interface L1Steps {
  /** Once per start: the endpoint serves the chain that the descriptor names. */
  verify(signal: AbortSignal): Promise<void>;
  /** Follows L1 to its present head. True when every unsafe block stands on a canonical origin. */
  advance(options: AdvanceOptions, signal: AbortSignal): Promise<boolean>;
  /** Back to a common L1 block. */
  reset(signal: AbortSignal): Promise<L1Record>;
}

export interface AdvanceOptions {
  /** Look whether the unsafe blocks' origins are canonical: after a start, a reset, or a block of unknown origin. */
  readonly checkUnsafe: boolean;
  readonly onDerived: (derived: Derived) => void;
  /** Unsafe blocks were given up: their origin is gone, or L1 did not confirm them in time. */
  readonly onDiscarded?: (discarded: Discarded) => void;
}

export interface Discarded {
  readonly orphaned: number;
  readonly expired: number;
}

export interface L1StepsDeps extends DeriverDeps {
  readonly l1: L1View;
  readonly genesis: L1Record;
  /** Asked before L1's word for a reorg deeper than `depth` is taken. Absent: it is. */
  readonly deepReorg?: { readonly depth: bigint; confirm(signal: AbortSignal): Promise<boolean> };
}

export function createL1Steps(deps: L1StepsDeps): L1Steps {
  const { l1, store, engine, genesis, deepReorg } = deps;
  /** L1's newest block when it was asked last what is final. */
  let finalizedAt: string | undefined;

  async function followTo(last: bigint, signal: AbortSignal, onDerived: (derived: Derived) => void): Promise<void> {
    let cursor = await store.cursor();
    while (cursor.number < last) {
      const ahead = last - cursor.number;
      const headers = await readHeaders(l1, cursor.number + 1n, ahead < HEADER_WINDOW ? ahead : HEADER_WINDOW, signal);
      for (const header of headers) {
        if (header === undefined || header.parentHash !== cursor.hash) {
          throw new NectarError('ROLLUP_L1_REORGED', { number: cursor.number });
        }
        cursor = await processHeader(cursor, header, signal, onDerived);
      }
    }
  }

  async function processHeader(
    before: L1Record,
    header: L1Place,
    signal: AbortSignal,
    onDerived: (derived: Derived) => void,
  ): Promise<L1Record> {
    const events = await l1.inboxEvents(header as never, signal);
    const derived = await deriveL1Block(deps, before, header, events);
    onDerived(derived);
    return derived.record;
  }

  async function finalize(signal: AbortSignal): Promise<void> {
    const header = await l1.headerByTag('finalized', signal);
    if (header === undefined) return;
    const record = await store.find(header.number);
    if (record === undefined || record.hash !== header.hash) return;
    const { number } = record.safe;
    if (number > engine.heads().finalized.number) await engine.setHeads({ finalized: number });
  }

  /** A power cut may have kept the cursor and lost the blocks that it stands on: back to a record whose blocks are there. */
  async function alignWithEngine(): Promise<void> {
    const hasSafe = async (record: L1Record): Promise<boolean> =>
      (await engine.hashOf(record.safe.number)) === record.safe.hash;
    const cursor = await store.cursor();
    await moveTo((await hasSafe(cursor)) ? cursor : await findRecordBack(store, genesis, hasSafe));
  }

  /** The cursor first: a crash in between leaves a safe head that is ahead of it, which the next start puts right. */
  async function moveTo(record: L1Record): Promise<void> {
    if ((await store.cursor()).hash !== record.hash) await store.reset(record);
    if (engine.heads().safe.number !== record.safe.number) await engine.setHeads({ safe: record.safe.number });
  }

  return {
    async verify(signal) {
      await l1.verifyChain(signal);
      const header = await l1.headerByNumber(genesis.number, signal);
      if (header?.hash === genesis.hash) return alignWithEngine();
      // An L1 that is shorter than its own deployment is still starting.
      if (header === undefined) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'deployment block' });
      const data = { what: `block ${genesis.number}`, expected: genesis.hash, actual: header.hash };
      throw new NectarError('ROLLUP_L1_CHAIN_MISMATCH', data);
    },
    async advance({ checkUnsafe, onDerived, onDiscarded }, signal) {
      const latest = await l1.headerByTag('latest', signal);
      if (latest === undefined) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'latest block' });
      const known = await store.find(latest.number);
      // An endpoint that is behind us says nothing new; one that disagrees at a height we know has reorganised.
      if (known !== undefined && known.hash !== latest.hash) {
        throw new NectarError('ROLLUP_L1_REORGED', { number: latest.number });
      }
      await followTo(latest.number, signal, onDerived);
      // What is final moves with blocks: between two of them there is nothing to ask.
      if (latest.hash !== finalizedAt) await finalize(signal);
      finalizedAt = latest.hash;
      const orphaned = checkUnsafe ? await discardOrphanedUnsafe(store, engine) : { settled: true, discarded: 0 };
      const expired = await expireUnsafe(store, engine);
      if (orphaned.discarded + expired > 0) onDiscarded?.({ orphaned: orphaned.discarded, expired });
      return orphaned.settled;
    },
    async reset(signal) {
      const isCanonical = async (record: L1Record): Promise<boolean> =>
        (await l1.headerByNumber(record.number, signal))?.hash === record.hash;
      const ancestor = await findRecordBack(store, genesis, isCanonical);
      const { number } = await store.cursor();
      if (deepReorg !== undefined && number - ancestor.number > deepReorg.depth && !(await deepReorg.confirm(signal))) {
        throw new NectarError('ROLLUP_L1_ENDPOINTS_DISAGREE', { number: number - deepReorg.depth });
      }
      await moveTo(ancestor);
      if (ancestor.number === genesis.number) await this.verify(signal);
      return ancestor;
    },
  };
}

async function readHeaders(
  l1: L1View,
  from: bigint,
  count: bigint,
  signal: AbortSignal,
): Promise<readonly (L1Place | undefined)[]> {
  const numbers = Array.from({ length: Number(count) }, (_, offset) => from + BigInt(offset));
  return Promise.all(numbers.map((number) => l1.headerByNumber(number, signal)));
}
