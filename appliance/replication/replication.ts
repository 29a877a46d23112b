import { setTimeout as sleep } from 'node:timers/promises';
import { Counter } from 'prom-client';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { Readiness, Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { ReplicationConfig } from './config.ts';

/** So many blobs in a row that nobody takes: nobody takes anything now. */
const MAX_REFUSALS = 3;
/** Blobs remembered as tried. */
const MAX_TRIED = 16_384;

export interface ReplicationDeps {
  readonly store: {
    underReplicated(
      limit: number,
    ): Promise<readonly { root: Cid; blocks: readonly Cid[]; holders: readonly PeerIdText[] }[]>;
    markReplicated(root: Cid, holder: PeerIdText): Promise<void>;
  };
  /** Asks peers other than the holders; resolves with those that said the blob is durable with them. */
  readonly replicate: (
    root: Cid,
    blocks: readonly Cid[],
    signal: AbortSignal,
    holders: readonly PeerIdText[],
  ) => Promise<readonly PeerIdText[]>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Replication extends Service {
  /** Looks once; resolves with the number of new replicas. Runs by itself every `intervalMs`. Never throws. */
  tick(signal: AbortSignal): Promise<number>;
}

/** Gives each sealed blob its replicas: ciphertext on other members' disks, for the day when ours is lost. */
export function createReplication(config: ReplicationConfig, deps: ReplicationDeps): Replication {
  const log = deps.log.child({ service: 'replication' });
  const made = new Counter({
    name: 'nectar_replication_replicas_total',
    help: 'Replicas of blobs made',
    registers: [deps.metrics],
  });
  const spreadAll = createSpreader(config, deps);
  const abort = new AbortController();
  let loop: Promise<void> | undefined;

  async function tick(signal: AbortSignal): Promise<number> {
    try {
      const count = await spreadAll(signal);
      made.inc(count);
      if (count > 0) log.info({ replicas: count }, 'replicas made');
      return count;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'replication made no progress');
      return 0;
    }
  }

  return {
    name: 'replication',
    tick,
    async start(signal) {
      const until = AbortSignal.any([signal, abort.signal]);
      loop = (async () => {
        while (!until.aborted) {
          await tick(until);
          await sleep(config.intervalMs, undefined, { signal: until }).catch(() => {});
        }
      })();
    },
    async stop() {
      abort.abort();
      await loop;
    },
    readiness(): Readiness {
      return loop === undefined ? { ready: false, reason: 'not started' } : { ready: true };
    },
  };
}

/** One pass over the blobs that are due; resolves with the number of new replicas. */
function createSpreader(config: ReplicationConfig, deps: ReplicationDeps): (signal: AbortSignal) => Promise<number> {
  const tried = new Map<Cid, number>();

  /** Blobs not tried lately: those with a holder too few for want of members come round in the store's queue for ever. */
  async function due(): Promise<Awaited<ReturnType<ReplicationDeps['store']['underReplicated']>>> {
    const now = deps.now();
    for (const [root, at] of tried) if (now - at >= config.retryMs || now < at) tried.delete(root);
    if (tried.size >= MAX_TRIED) return [];
    return (await deps.store.underReplicated(config.batch)).filter(({ root }) => !tried.has(root));
  }

  return async (signal) => {
    let count = 0;
    let refusals = 0;
    for (const { root, blocks, holders } of await due()) {
      signal.throwIfAborted();
      tried.set(root, deps.now());
      const added = await deps.replicate(root, blocks, signal, holders);
      refusals = added.length === 0 ? refusals + 1 : 0;
      if (refusals === MAX_REFUSALS) break;
      for (const holder of added) {
        await deps.store.markReplicated(root, holder);
        count += 1;
      }
    }
    return count;
  };
}
