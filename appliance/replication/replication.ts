import { setTimeout as sleep } from 'node:timers/promises';
import { Counter } from 'prom-client';
import type { Readiness, Service } from '../service.ts';
import type { ReplicationConfig } from './config.ts';
import { createHeldTidy } from './held-tidy.ts';
import { createHolderCheck } from './holder-check.ts';
import type { ReplicationDeps } from './needs.ts';
import { createReleaser } from './releaser.ts';
import { createSharder } from './sharder.ts';
import { createSpreader } from './spreader.ts';

export interface Replication extends Service {
  /** Looks once; resolves with the number of new replicas. Runs by itself every `intervalMs`, at once after a look that made some. Never throws. */
  tick(signal: AbortSignal): Promise<number>;
  /** Asks holders once. Runs by itself every `checkIntervalMs`. Never throws. */
  check(signal: AbortSignal): Promise<void>;
  /** Tells holders once of what was destroyed. Runs by itself every `intervalMs`. Never throws. */
  release(signal: AbortSignal): Promise<void>;
  /** Brings shards once to the holders that the store chose; resolves with how many were taken. Runs by itself every `intervalMs`. Never throws. */
  shard(signal: AbortSignal): Promise<number>;
  /** Asks holders of shards once for leaves that are due. Runs by itself every `auditIntervalMs`. Never throws. */
  audit(signal: AbortSignal): Promise<void>;
  /** Removes once what is held for nobody any more. Runs by itself every `tidyIntervalMs`. Never throws. */
  tidy(signal: AbortSignal): Promise<void>;
}

/** Gives each sealed blob its replicas, ciphertext on other members' disks for the day when ours is lost, and asks for proof that they last. */
export function createReplication(config: ReplicationConfig, deps: ReplicationDeps): Replication {
  const log = deps.log.child({ service: 'replication' });
  const registers = [deps.metrics];
  const made = new Counter({ name: 'nectar_replication_replicas_total', help: 'Replicas of blobs made', registers });
  const answers = new Counter({
    name: 'nectar_replication_answers_total',
    help: 'Answers of holders to questions about blocks that they said they hold',
    labelNames: ['outcome'],
    registers,
  });
  const releases = new Counter({
    name: 'nectar_replication_releases_total',
    help: 'Answers of holders that were told of destroyed blobs',
    labelNames: ['outcome'],
    registers,
  });
  const spreadAll = createSpreader(config, deps);
  const askAll = createHolderCheck(config, deps);
  const shards = new Counter({ name: 'nectar_replication_shards_total', help: 'Shards that holders took', registers });
  const audits = new Counter({
    name: 'nectar_replication_audits_total',
    help: 'Answers of holders of shards that were asked for leaves',
    labelNames: ['outcome'],
    registers,
  });
  const sharder = createSharder(config, deps);
  const tidyAll = createHeldTidy(deps);
  const releaseAll = createReleaser(config, deps);
  const abort = new AbortController();
  let loops: Promise<unknown> | undefined;

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

  async function check(signal: AbortSignal): Promise<void> {
    try {
      for (const [outcome, count] of Object.entries(await askAll(signal))) answers.inc({ outcome }, count);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'holders were not asked for proofs');
    }
  }

  async function release(signal: AbortSignal): Promise<void> {
    try {
      for (const [outcome, count] of Object.entries(await releaseAll(signal))) releases.inc({ outcome }, count);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'holders were not told of deletions');
    }
  }

  async function shard(signal: AbortSignal): Promise<number> {
    try {
      const count = await sharder.work(signal);
      shards.inc(count);
      return count;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'shards were not brought to holders');
      return 0;
    }
  }

  async function audit(signal: AbortSignal): Promise<void> {
    try {
      for (const [outcome, count] of Object.entries(await sharder.audit(signal))) audits.inc({ outcome }, count);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'holders of shards were not asked for leaves');
    }
  }

  async function tidy(signal: AbortSignal): Promise<void> {
    try {
      await tidyAll(signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'blocks of others were not looked through');
    }
  }

  return {
    name: 'replication',
    tick,
    check,
    release,
    tidy,
    shard,
    audit,
    async start(signal) {
      const until = AbortSignal.any([signal, abort.signal]);
      const loop = async (waitMs: number, work: () => Promise<unknown>): Promise<void> => {
        while (!until.aborted) {
          const goOn = await work();
          if (goOn !== true) await sleep(waitMs, undefined, { signal: until }).catch(() => {});
        }
      };
      loops = Promise.all([
        loop(config.intervalMs, async () => (await tick(until)) > 0),
        loop(config.checkIntervalMs, () => check(until)),
        loop(config.intervalMs, () => release(until)),
        loop(config.intervalMs, async () => (await shard(until)) > 0),
        loop(config.auditIntervalMs, () => audit(until)),
        loop(config.tidyIntervalMs, () => tidy(until)),
      ]);
    },
    async stop() {
      abort.abort();
      await loops;
    },
    readiness(): Readiness {
      return loops === undefined ? { ready: false, reason: 'not started' } : { ready: true };
    },
  };
}
