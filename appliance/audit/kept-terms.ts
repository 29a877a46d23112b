import { NectarError } from '../../protocol/errors.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { verifyConsistency } from '../../protocol/merkle/verify.ts';
import type { Logger } from '../telemetry/index.ts';
import { createTermIndex, type TermIndex } from './bundle-terms.ts';
import type { Log } from './log.ts';
import { CHUNK_BUNDLES, type TermsFile } from './terms-file.ts';

/** Bundles that are not on disk yet: what a search after a crash reads again at most, and some that were never searched. */
const SAVE_EVERY_BUNDLES = 16;

/**
 * The terms of the log's full bundles, in memory and sealed on disk, so that the first search after a start skips what cannot hold
 * what is meant. They are made as leaves are appended, or by the search that misses them. A bundle never changes, so a chunk that was
 * made of a prefix of this very log is right however old it is: it is held against the tree by its head, and what it lacks is read.
 * But for erased bodies, of which nothing may be told: a chunk from before the newest erasure is not used.
 */
export interface KeptTerms extends Pick<TermIndex, 'find' | 'keep' | 'turn' | 'take'> {
  /** Reads the chunk of a bundle, once. */
  load(bundle: number): Promise<void>;
  /** Runs an erasure, which returns how many bundles from the first on have lost bodies. What it touched is forgotten, on disk too. */
  whileErasing<T extends { readonly bundles: number }>(erase: () => Promise<T>): Promise<T>;
  /** Keeps what is new. Never throws: a later search reads more bundles. */
  save(): Promise<void>;
}

export interface KeptTermsDeps {
  readonly file: TermsFile;
  readonly leaves: Pick<Log, 'snapshot' | 'consistency' | 'size'>;
  /** The newest leaf that says that bodies were erased; -1 for none. */
  readonly erasedAt: () => number;
  readonly log: Logger;
}

export function createKeptTerms(deps: KeptTermsDeps): KeptTerms {
  const { file, leaves, erasedAt, log } = deps;
  const index = createTermIndex();
  const loads = new Map<number, Promise<void>>();
  let unsaved = new Set<number>();
  let erasing = false;
  /** One at a time. */
  let erasures: Promise<unknown> = Promise.resolve();
  let saving: Promise<void> | undefined;

  async function read(chunk: number): Promise<void> {
    const turn = index.turn();
    const kept = await file.read(chunk);
    const now = leaves.snapshot();
    if (kept === undefined || kept.at.size > now.size || kept.at.size <= erasedAt()) return;
    try {
      verifyConsistency(kept.at, now, await leaves.consistency(kept.at.size, now));
    } catch (error) {
      if (!(error instanceof NectarError)) throw error;
      log.warn({ code: error.code, chunk }, 'the kept terms are of another log: their leaves are read again');
      return;
    }
    for (const [bundle, bits] of kept.bundles)
      if ((bundle + 1) * TILE_WIDTH <= kept.at.size) index.restore(bundle, bits, turn);
  }

  function load(bundle: number): Promise<void> {
    const chunk = Math.floor(bundle / CHUNK_BUNDLES);
    const begun = loads.get(chunk) ?? read(chunk);
    loads.set(chunk, begun);
    return begun;
  }

  async function write(chunk: number): Promise<void> {
    await load(chunk * CHUNK_BUNDLES);
    const { size, root } = leaves.snapshot();
    const bundles = index.between(chunk * CHUNK_BUNDLES, (chunk + 1) * CHUNK_BUNDLES);
    if (!erasing) await file.write(chunk, { at: { size, root }, bundles });
  }

  async function save(): Promise<void> {
    const chunks = new Set([...unsaved].map((bundle) => Math.floor(bundle / CHUNK_BUNDLES)));
    unsaved = new Set();
    try {
      for (const chunk of chunks) await write(chunk);
    } catch (error) {
      log.warn({ code: error instanceof NectarError ? error.code : 'unknown' }, 'the terms of the log cannot be saved');
    }
  }

  function kept(bundle: number): void {
    unsaved.add(bundle);
    if (saving !== undefined || erasing || unsaved.size < SAVE_EVERY_BUNDLES) return;
    saving = save().finally(() => {
      saving = undefined;
    });
  }

  async function eraseOnce<T extends { readonly bundles: number }>(erase: () => Promise<T>): Promise<T> {
    // Every chunk of before the erasure is of no use behind it: what it can still tell is taken over first.
    for (let bundle = 0; (bundle + 1) * TILE_WIDTH <= leaves.size(); bundle += CHUNK_BUNDLES) await load(bundle);
    erasing = true;
    let bundles = Number.POSITIVE_INFINITY;
    try {
      await saving;
      index.hold();
      const erased = await erase();
      bundles = erased.bundles;
      return erased;
    } finally {
      index.release(bundles);
      erasing = false;
      for (let chunk = 0; chunk * CHUNK_BUNDLES * TILE_WIDTH < leaves.size(); chunk++)
        unsaved.add(chunk * CHUNK_BUNDLES);
      await save();
    }
  }

  return {
    load,
    find: (bundle) => index.find(bundle),
    turn: () => index.turn(),
    keep(bundle, facts, turn) {
      if (index.keep(bundle, facts, turn)) kept(bundle);
      return index.find(bundle) !== undefined;
    },
    take(at, facts) {
      const bundle = index.take(at, facts);
      if (bundle !== undefined) kept(bundle);
      return bundle;
    },
    whileErasing(erase) {
      const erased = erasures.then(() => eraseOnce(erase));
      erasures = erased.catch(() => undefined);
      return erased;
    },
    async save() {
      await saving;
      if (unsaved.size > 0 && !erasing) await save();
    },
  };
}
