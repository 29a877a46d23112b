import { statfsSync } from 'node:fs';
import { NectarError } from '../../protocol/errors.ts';
import { faulty, type NotReady } from '../service.ts';
import { adoptEntries } from './adopt.ts';
import { conditionError, type IndexCondition, requireErasable, requireReadable, requireWritable } from './condition.ts';
import { findBlock, type StoreCore, type StoreOptions } from './core.ts';
import { exportCar } from './export-car.ts';
import { exportTink } from './export-tink.ts';
import { rebuildIndex } from './fsck.ts';
import { createHeldBlocks } from './held.ts';
import { changeOffer, offerOf } from './held-offer.ts';
import { createHeldShards } from './held-shards.ts';
import { createHolderSweep, type HolderSweep } from './holder-sweep.ts';
import { holderQuestions, holderStandings, takeAnswer, tellHolders } from './holders.ts';
import type { Store, StoreCondition } from './interfaces.ts';
import { listRecords } from './list.ts';
import { createStoreMetrics } from './metrics.ts';
import type { StoreDeps } from './needs.ts';
import { headRecord, openRecord } from './open.ts';
import { closeCore, foldersOf, openCore, recover } from './open-core.ts';
import { type OpenPartialUploads, openPartialUploads } from './partial-uploads.ts';
import { findPresent } from './presence.ts';
import { putRecord } from './put.ts';
import { createRekeying, type Rekeying } from './rekey.ts';
import type { HeldBlocks } from './replicas.ts';
import { createReplicationQueue, getBlock, linksOf, markAnchored, markReplicated, unanchored } from './replication.ts';
import { rewrapAll } from './rewrap.ts';
import { scrubStore } from './scrub.ts';
import { drillSegment, shardsOfRecord } from './shard-drill.ts';
import type { HeldShards } from './shards.ts';
import { shredRecord } from './shred.ts';

interface Running {
  readonly core: StoreCore;
  readonly held: HeldBlocks;
  readonly shards: HeldShards;
  readonly uploads: OpenPartialUploads;
  readonly rekeying: Rekeying;
  readonly sweep: HolderSweep;
  readonly underReplicated: ReturnType<typeof createReplicationQueue>;
  readonly abort: AbortController;
}

/** Seals, stores and returns records. Start it when the keys are unlocked. */
export function createStore(options: StoreOptions, deps: StoreDeps): Store {
  const log = deps.log.child({ service: 'store' });
  const metrics = createStoreMetrics(deps.metrics);
  const folders = foldersOf(options.home);
  let running: Running | undefined;
  let reason = 'not started';

  function use(): Running {
    if (running === undefined) throw new NectarError('NODE_NOT_READY', { service: 'store', reason });
    return running;
  }

  function checked(require: (condition: IndexCondition) => void): StoreCore {
    const { core } = use();
    require(core.index.condition);
    return core;
  }

  function writableUploads(): OpenPartialUploads {
    checked(requireWritable);
    return use().uploads;
  }

  /** Stop waits for these: a put between its audit leaf and its commit is finished, not cut. */
  const inFlight = new Set<Promise<unknown>>();

  function track<T>(work: Promise<T>): Promise<T> {
    inFlight.add(work);
    const done = (): void => void inFlight.delete(work);
    work.then(done, done);
    return work;
  }

  async function counted<T>(operation: string, work: Promise<T>): Promise<T> {
    track(work);
    try {
      const result = await work;
      metrics.operations.inc({ operation, outcome: 'success' });
      return result;
    } catch (error) {
      metrics.operations.inc({ operation, outcome: 'failure' });
      throw error;
    } finally {
      if (running !== undefined) tellMetrics(running.core);
    }
  }

  return {
    name: 'store',
    async start(signal) {
      const abort = new AbortController();
      signal.addEventListener('abort', () => abort.abort(signal.reason), { once: true });
      const onStep = (step: string): void => {
        reason = step;
      };
      const parts = { options, deps: { ...deps, log }, folders, metrics, signal: abort.signal, onStep };
      const core = await openCore(parts).finally(() => onStep('not started'));
      try {
        await recover(core);
      } catch (error) {
        await core.db.close();
        throw error;
      }
      tellMetrics(core);
      metrics.heldBytes.set(core.db.stats().heldBytes);
      const uploads = await openPartialUploads(core);
      const rekeying = createRekeying(core, { rewrapUploads: () => uploads.rewrap() });
      const underReplicated = createReplicationQueue(core);
      const sweep = createHolderSweep(core);
      const held = createHeldBlocks(core);
      running = { core, held, shards: createHeldShards(core, held), uploads, rekeying, sweep, underReplicated, abort };
      core.superseded.resume();
      tellHolders(core);
      sweep.wake();
      await rekeying.resume();
    },
    async stop() {
      const stopping = running;
      running = undefined;
      stopping?.abort.abort(new NectarError('NODE_NOT_READY', { service: 'store', reason: 'stopping' }));
      await stopping?.rekeying.stop();
      await stopping?.uploads.stop();
      await stopping?.sweep.stop();
      await Promise.allSettled(inFlight);
      if (stopping !== undefined) await closeCore(stopping.core);
    },
    readiness() {
      if (running === undefined) return { ready: false, reason };
      const error = conditionError(running.core.index.condition);
      if (error !== undefined) return faulty(error);
      const { bavail, bsize } = statfsSync(folders.blocks);
      if (bavail * bsize < options.minFreeBytes) return volumeFull(folders.blocks);
      const { failure } = running.core.health;
      return failure === undefined ? { ready: true } : { ready: false, reason: failure };
    },
    put: async (input, body, context, signal) =>
      counted('put', putRecord(checked(requireWritable), { input, body, context, signal })),
    uploads: {
      begin: async (plan, context) => track(writableUploads().begin(plan, context)),
      append: async (id, from, context, signal) =>
        counted('append', writableUploads().append(id, from, context, signal)),
      state: async (id, context) => track(writableUploads().state(id, context)),
      discard: async (id, context) => track(use().uploads.discard(id, context)),
    },
    open: async (id, wanted, context, signal) =>
      counted('open', openRecord(checked(requireReadable), { id, options: wanted, context, signal })),
    head: async (id, { version }, context) => track(headRecord(checked(requireReadable), { id, version, context })),
    present: async (ids, context) => track(findPresent(checked(requireReadable), ids, context)),
    list: async (query, context) => track(listRecords(checked(requireReadable), query, context)),
    shred: async (id, context, expected) =>
      counted('shred', shredRecord(checked(requireErasable), { id, context, expected })),
    rewrap: async (onProgress) => {
      const done = await track(rewrapAll(checked(requireErasable), onProgress));
      await track(use().uploads.rewrap());
      return done;
    },
    rekey: async (plan, context) => {
      checked(requireWritable);
      return track(use().rekeying.begin(plan, context));
    },
    pauseRekey: async (context) => track(use().rekeying.pause(context)),
    keepReplaced: async (milliseconds) => use().core.superseded.keep(milliseconds),
    exportCar: (id, { version }, context) => exportCar(checked(requireReadable), { id, version, context }),
    exportTink: async (id, wanted, context, signal) =>
      track(exportTink(checked(requireReadable), { id, options: wanted, context, signal })),
    scrub: async (onProgress, signal) => {
      const { core } = use();
      const either = signal === undefined ? core.signal : AbortSignal.any([signal, core.signal]);
      return track(scrubStore(core, onProgress, either));
    },
    fsck: async (options, onProgress, signal) => {
      const { core } = use();
      const either = signal === undefined ? core.signal : AbortSignal.any([signal, core.signal]);
      return track(rebuildIndex(core, { ...options, onProgress, signal: either }).finally(() => tellMetrics(core)));
    },
    condition: () => conditionOf(use()),
    changeOffer: async (bytes, context) => track(changeOffer(checked(requireWritable), bytes, context)),
    adopt: async (entries, context, gone) => {
      const { core } = use();
      return track(adoptEntries(core, entries, { context, signal: AbortSignal.any([gone, core.signal]) }));
    },
    stats() {
      const { records, versions, bytes, anchored = 0 } = use().core.db.stats();
      return { records, versions, bytes, anchored };
    },
    unanchored: async (limit) => track(unanchored(use().core, limit)),
    markAnchored: async (items, anchor) => track(markAnchored(use().core, items, anchor)),
    blocks: {
      get: async (cid) => use().core.sharding.block(cid) ?? (await track(getBlock(use().core, cid))),
      has: async (cid) => (await findBlock(use().core, cid)) !== undefined,
      links: async (root) => track(linksOf(use().core, root)),
    },
    underReplicated: async (limit) => track(use().underReplicated(limit)),
    markReplicated: async (root, holder) => {
      const { core, sweep } = use();
      await track(markReplicated(core, root, holder));
      await track(takeAnswer(core, { holder, root, cid: root, outcome: 'proved' }, sweep));
    },
    holderQuestions: async (count) => track(holderQuestions(use().core, count)),
    holderAnswered: async (answer) => {
      const { core, sweep } = use();
      await track(takeAnswer(core, answer, sweep));
    },
    shardHolders: async () => use().core.sharding.holders(),
    shardWork: async (news) => track(use().core.sharding.work(news)),
    shardBrought: async (of) => track(use().core.sharding.brought(of)),
    shardAudits: async () => track(use().core.sharding.audits()),
    shardsOf: async (id) => track(shardsOfRecord(checked(requireReadable), id)),
    drill: async (of, signal) => track(drillSegment(checked(requireReadable), of, signal)),
    repairShards: async ({ awayFrom }) => {
      const { sharding } = checked(requireWritable);
      await track(sharding.lookThrough(awayFrom));
      return sharding.condition();
    },
    shardAudited: async (answer) => track(use().core.sharding.audited(answer)),
    placedShards: async () => track(use().core.sharding.lists()),
    heldShards: async () => track(use().shards.lists()),
    shards: {
      freeBytes: async (owner) => track(use().shards.freeBytes(owner)),
      take: async (owner, shard) => track(use().shards.take(owner, shard)),
      proveLeaves: async (owner, leaves) => track(use().shards.proveLeaves(owner, leaves)),
    },
    pendingReleases: async (limit) => track(use().core.releases.due(limit)),
    released: async (release) => track(use().core.releases.receipted(release)),
    held: {
      hold: async (owner, root, block) => track(use().held.hold(owner, root, block)),
      get: async (owner, cid) => track(use().held.get(owner, cid)),
      release: async (owner, root, cids) => track(use().held.release(owner, root, cids)),
      bytes: () => use().held.bytes(),
      owners: async () => track(use().held.owners()),
      owes: async (owner) => track(use().held.owes(owner)),
      tidy: async (standings) => track(use().held.tidy(standings)),
    },
  };
}

function conditionOf({ core, rekeying }: Running): StoreCondition {
  const { condition, restored, cutOff, damaged, unreadable } = core.index;
  const rekey = rekeying.state();
  return {
    ...{ index: condition, pendingErasures: core.erasures.pending(), damaged: damaged.size },
    holders: holderStandings(core),
    releases: core.releases.standing(),
    offer: offerOf(core),
    shards: core.sharding.condition(),
    ...(unreadable !== undefined && { unreadable }),
    ...(restored !== undefined && { restored }),
    ...(cutOff !== undefined && { cutOff }),
    ...(rekey !== undefined && { rekey }),
  };
}

/** What is here is served as long as the audit log has room; whoever waits for the node need not go on. */
function volumeFull(path: string): NotReady {
  const { fault } = faulty(new NectarError('NODE_DISK_FULL', { path }));
  return { ready: false, reason: 'the volume is full: no new records are taken', ...(fault && { fault }) };
}

function tellMetrics(core: StoreCore): void {
  const { metrics, index, erasures } = core;
  const { records, anchored } = core.db.stats();
  metrics.records.set(records);
  metrics.anchored.set(anchored ?? 0);
  metrics.pendingErasures.set(erasures.pending());
  metrics.damagedValues.set(index.damaged.size);
  metrics.unreadable.set(index.unreadable?.versions ?? 0);
  for (const state of ['behind', 'ahead'] as const)
    metrics.indexCondition.set({ state }, index.condition.state === state ? 1 : 0);
}
