import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import type { Logger } from '../../telemetry/index.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Heads } from '../execute/heads.ts';
import { createSignal } from '../signal.ts';
import type { LogIndex } from './log-index.ts';
import { type Fingerprint, fingerprintsOf } from './log-items.ts';

/** Work at a stretch; then as long a pause, so that an old database is indexed by the way. */
const STRETCH_MS = 20;
const RETRY_MS = 10_000;
/** From so many blocks on it is said when they are indexed. */
const NOTABLE_BLOCKS = 10_000n;

export interface LogIndexerDeps {
  readonly index: LogIndex;
  readonly fingerprint: Fingerprint;
  readonly database: Pick<ChainDatabase, 'canonicalHash' | 'receipts'>;
  readonly heads: () => Heads;
  readonly onHeads: (listener: (heads: Heads) => void) => () => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** Keeps the index of logs in step with the chain, from genesis on in a database that has none yet. */
export interface LogIndexer {
  /** Until the signal aborts. What fails is tried again: without the index logs are only found more slowly. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLogIndexer(deps: LogIndexerDeps): LogIndexer {
  const { index, database, heads, now, log } = deps;

  /** Adds the next block; false when the chain changed meanwhile, or has no further one. */
  async function addNext(next: bigint): Promise<boolean> {
    if (next > heads().unsafe.number) return false;
    const hash = await database.canonicalHash(next);
    const receipts = hash === undefined ? [] : ((await database.receipts(hash)) ?? []);
    const fingerprints = fingerprintsOf(receipts, deps.fingerprint);
    // Read last: what the block stands on is still what was indexed.
    await index.dropStale();
    if (index.next() !== next || (await database.canonicalHash(next)) !== hash) return false;
    await index.append(hash, fingerprints);
    return true;
  }

  /** Up to the head of the chain. */
  async function catchUp(signal: AbortSignal): Promise<void> {
    await index.dropStale();
    const first = index.next() ?? 0n;
    let stretch = now();
    for (let next = index.next(); next !== undefined && next <= heads().unsafe.number; next = index.next()) {
      await addNext(next);
      const workedMs = now() - stretch;
      if (workedMs >= STRETCH_MS) await delay(workedMs, undefined, { signal });
      else await turn(undefined, { signal });
      if (workedMs >= STRETCH_MS) stretch = now();
    }
    const blocks = (index.next() ?? 0n) - first;
    if (blocks >= NOTABLE_BLOCKS) log.info({ blocks: Number(blocks) }, 'logs of old blocks indexed');
  }

  return {
    async run(signal) {
      const changed = createSignal();
      const stop = deps.onHeads(changed.raise);
      signal.addEventListener('abort', changed.raise, { once: true });
      while (!signal.aborted) {
        try {
          if (index.next() === undefined) await index.load();
          await catchUp(signal);
          await changed.raised();
        } catch (error) {
          if (signal.aborted) break;
          log.warn({ err: error }, 'logs are not indexed: trying again');
          await delay(RETRY_MS, undefined, { signal }).catch(() => {});
        }
      }
      stop();
    },
  };
}
