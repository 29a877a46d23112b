import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../protocol/errors.ts';
import { parseAuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import type { Logger } from '../telemetry/index.ts';
import type { StoredEntry } from './body-bundle.ts';
import { isDeclaration } from './freshness.ts';
import type { Log } from './log.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** A start has better to do than to look for what ended six years ago. */
const FIRST_LOOK_MS = 60_000;

/** Erases bodies when their retention ends: soon after a start, and once a day. */
export interface Retention {
  start(signal: AbortSignal): void;
  stop(): Promise<void>;
  /** Looks once; resolves with the number of bodies erased. Runs by itself. Never throws. */
  run(signal: AbortSignal): Promise<number>;
  /** When the oldest bodies are due, ISO 8601; undefined while nothing is, or when bodies are kept for ever. */
  next(): string | undefined;
}

export interface RetentionDeps {
  /** Days that a body is kept; 0 keeps it for ever. */
  readonly days: number;
  /** The open log. Throws when it is not open. */
  readonly leaves: () => Pick<Log, 'size' | 'readBundle'>;
  /** Appends `audit.erase` and erases. */
  readonly erase: (before: Date) => Promise<{ erased: number }>;
  readonly log: Logger;
  readonly now: () => number;
}

export function createRetention(deps: RetentionDeps): Retention {
  const { days, leaves, erase, log, now } = deps;
  const abort = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let next: string | undefined;
  /** Bundles before it have no bodies any more: they are looked at once. */
  let firstBundle = 0;

  /** Time of the newest leaf of the oldest full bundle that has bodies: with it they all are old enough. */
  async function oldest(signal: AbortSignal): Promise<number | undefined> {
    for (; (firstBundle + 1) * TILE_WIDTH <= leaves().size(); firstBundle++) {
      signal.throwIfAborted();
      const entries = await leaves().readBundle(firstBundle);
      const isKept = ({ leaf, sealed }: StoredEntry): boolean =>
        sealed === undefined || isDeclaration(parseAuditLeaf(leaf).type);
      if (entries.every(isKept)) continue;
      return Math.max(...entries.map(({ leaf }) => Date.parse(parseAuditLeaf(leaf).time)));
    }
    return undefined;
  }

  async function look(signal: AbortSignal): Promise<number> {
    const before = now() - days * DAY_MS;
    const time = await oldest(signal);
    const due = time !== undefined && time < before;
    const { erased } = due ? await erase(new Date(before)) : { erased: 0 };
    const left = due ? await oldest(signal) : time;
    next = left === undefined ? undefined : new Date(left + days * DAY_MS + 1).toISOString();
    if (erased > 0)
      log.info({ bodies: erased, before: new Date(before).toISOString() }, 'bodies erased after their retention');
    return erased;
  }

  async function run(signal: AbortSignal): Promise<number> {
    if (days === 0) return 0;
    try {
      return await look(signal);
    } catch (error) {
      if (!signal.aborted)
        log.warn(
          { code: error instanceof NectarError ? error.code : 'unknown' },
          'bodies past their retention cannot be erased',
        );
      return 0;
    }
  }

  return {
    run,
    next: () => next,
    start(signal) {
      const until = AbortSignal.any([signal, abort.signal]);
      loop = (async () => {
        for (let wait = FIRST_LOOK_MS; ; wait = DAY_MS) {
          await sleep(wait, undefined, { signal: until, ref: false }).catch(() => undefined);
          if (until.aborted) return;
          await run(until);
        }
      })();
    },
    async stop() {
      abort.abort();
      await loop;
    },
  };
}
