import { statfsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NectarError } from '../../protocol/errors.ts';
import { faulty } from '../service.ts';
import { adoptEntries } from './adopt.ts';
import { createBlockFiles } from './block-files.ts';
import { conditionError, type IndexCondition, requireErasable, requireReadable, requireWritable } from './condition.ts';
import { findBlock, type StoreCore, type StoreFolders, type StoreOptions, systemContext } from './core.ts';
import { countErasures, createErasures } from './erasure.ts';
import { exportCar } from './export-car.ts';
import { exportTink } from './export-tink.ts';
import { checkFreshness } from './freshness.ts';
import { rebuildIndex } from './fsck.ts';
import { collectAllGarbage } from './garbage.ts';
import { createHashThread } from './hash-thread.ts';
import { createHeldBlocks } from './held.ts';
import { openIndexDb } from './index-db.ts';
import { createIndexKeys } from './index-keys.ts';
import type { HeldBlocks, Store, StoreCondition } from './interfaces.ts';
import { listRecords } from './list.ts';
import { createStoreMetrics, type StoreMetrics } from './metrics.ts';
import type { StoreDeps } from './needs.ts';
import { headRecord, openRecord } from './open.ts';
import { type OpenPartialUploads, openPartialUploads } from './partial-uploads.ts';
import { putRecord } from './put.ts';
import { createRecordLocks } from './record-locks.ts';
import { createReplicationQueue, getBlock, linksOf, markAnchored, markReplicated, unanchored } from './replication.ts';
import { rewrapAll } from './rewrap.ts';
import { scrubStore } from './scrub.ts';
import { finishDeletions, shredRecord } from './shred.ts';
import { createTrail } from './trail.ts';

/** How long a stop waits for a log that may be gone already. */
const CLOSING_MS = 2_000;
/** Damaged values that are counted apart. */
const MAX_DAMAGED = 10_000;

interface Running {
  readonly core: StoreCore;
  readonly held: HeldBlocks;
  readonly uploads: OpenPartialUploads;
  readonly underReplicated: ReturnType<typeof createReplicationQueue>;
  readonly abort: AbortController;
}

/** Seals, stores and returns records. Start it when the keys are unlocked. */
export function createStore(options: StoreOptions, deps: StoreDeps): Store {
  const log = deps.log.child({ service: 'store' });
  const metrics = createStoreMetrics(deps.metrics);
  const folders = foldersOf(options.home);
  let running: Running | undefined;

  function use(): Running {
    if (running === undefined) throw new NectarError('NODE_NOT_READY', { service: 'store', reason: 'not started' });
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
      const core = await openCore({ options, deps: { ...deps, log }, folders, metrics, signal: abort.signal });
      try {
        await recover(core);
      } catch (error) {
        await core.db.close();
        throw error;
      }
      tellMetrics(core);
      metrics.heldBytes.set(core.db.stats().heldBytes);
      const uploads = await openPartialUploads(core);
      running = { core, held: createHeldBlocks(core), uploads, underReplicated: createReplicationQueue(core), abort };
    },
    async stop() {
      const stopping = running;
      running = undefined;
      stopping?.abort.abort(new NectarError('NODE_NOT_READY', { service: 'store', reason: 'stopping' }));
      await stopping?.uploads.stop();
      await Promise.allSettled(inFlight);
      if (stopping !== undefined) await closeCore(stopping.core);
    },
    readiness() {
      if (running === undefined) return { ready: false, reason: 'not started' };
      const error = conditionError(running.core.index.condition);
      if (error !== undefined) return faulty(error);
      const { bavail, bsize } = statfsSync(folders.blocks);
      return bavail * bsize < options.minFreeBytes ? { ready: false, reason: 'the volume is full' } : { ready: true };
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
    list: async (query, context) => track(listRecords(checked(requireReadable), query, context)),
    shred: async (id, context, expected) =>
      counted('shred', shredRecord(checked(requireErasable), { id, context, expected })),
    rewrap: async (onProgress) => track(rewrapAll(checked(requireErasable), onProgress)),
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
    adopt: async (entries, context, gone) => {
      const { core } = use();
      return track(adoptEntries(core, entries, { context, signal: AbortSignal.any([gone, core.signal]) }));
    },
    condition: () => conditionOf(use().core),
    stats() {
      const { records, versions, bytes } = use().core.db.stats();
      return { records, versions, bytes };
    },
    unanchored: async (limit) => track(unanchored(use().core, limit)),
    markAnchored: async (items, anchor) => track(markAnchored(use().core, items, anchor)),
    blocks: {
      get: async (cid) => track(getBlock(use().core, cid)),
      has: async (cid) => (await findBlock(use().core, cid)) !== undefined,
      links: async (root) => track(linksOf(use().core, root)),
    },
    underReplicated: async (limit) => track(use().underReplicated(limit)),
    markReplicated: async (root, holder) => track(markReplicated(use().core, root, holder)),
    held: {
      hold: async (owner, root, block) => track(use().held.hold(owner, root, block)),
      get: async (owner, cid) => track(use().held.get(owner, cid)),
      release: async (owner, root) => track(use().held.release(owner, root)),
      bytes: () => use().held.bytes(),
    },
  };
}

function conditionOf({ index, erasures }: StoreCore): StoreCondition {
  const { condition, restored, damaged } = index;
  const base = { index: condition, pendingErasures: erasures.pending(), damaged: damaged.size };
  return restored === undefined ? base : { ...base, restored };
}

function tellMetrics(core: StoreCore): void {
  const { metrics, index, erasures } = core;
  metrics.records.set(core.db.stats().records);
  metrics.pendingErasures.set(erasures.pending());
  metrics.damagedValues.set(index.damaged.size);
  for (const state of ['behind', 'ahead'] as const)
    metrics.indexCondition.set({ state }, index.condition.state === state ? 1 : 0);
}

/** The log is told last how far the index has come: whoever puts an older one in place is found out. */
async function closeCore(core: StoreCore): Promise<void> {
  await core.erasures.stop();
  if (core.index.condition.state !== 'ahead') {
    await core.db.commit([]).catch(() => undefined);
    await Promise.race([stateGeneration(core), sleep(CLOSING_MS, undefined, { ref: false })]);
  }
  await core.hashes.end();
  await core.db.close();
}

async function stateGeneration(core: StoreCore): Promise<void> {
  const event = { type: 'store.index', outcome: 'success', context: systemContext('stop') } as const;
  await core.trail.append({ ...event, detail: { state: core.index.condition.state } }).catch(() => undefined);
}

function foldersOf(home: string): StoreFolders {
  const inside = (name: string): string => join(home, 'store', name);
  return { index: inside('index'), blocks: inside('blocks'), staging: inside('staging'), held: inside('held') };
}

async function openCore(parts: {
  readonly options: StoreOptions;
  readonly deps: StoreDeps;
  readonly folders: StoreFolders;
  readonly metrics: StoreMetrics;
  readonly signal: AbortSignal;
}): Promise<StoreCore> {
  const { deps, folders } = parts;
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = createBlockFiles(folders);
  await files.prepare();
  const indexKey = deps.keys.derive('index');
  const keys = createIndexKeys(deps.crypto, indexKey);
  indexKey.fill(0);
  const { valueKey, stats: statsKey } = keys;
  const { crypto, randomBytes } = deps;
  const damaged = new Set<string>();
  const onCorrupt = (key: Uint8Array): void => {
    if (damaged.size < MAX_DAMAGED) damaged.add(Buffer.from(key).toString('hex'));
    parts.metrics.damagedValues.set(damaged.size);
  };
  const db = await openIndexDb({ folder: folders.index, valueKey, statsKey, crypto, randomBytes, onCorrupt });
  let seq = db.stats().nextSeq;
  const index: StoreCore['index'] = { condition: { state: 'fresh' }, damaged };
  const trail = createTrail({
    audit: deps.audit,
    marks: db.stats(),
    generation: () => db.generation(),
    onDue: () => void db.commit([]).catch(() => undefined),
    onReplaced(leaf, expected) {
      const found = { state: 'ahead', since: deps.now().toISOString(), leaf: expected - 1, size: leaf + 1 } as const;
      index.condition = found;
      return conditionError(found);
    },
  });
  const erasures = createErasures(() => core);
  const core: StoreCore = {
    ...parts,
    deps: { ...deps, audit: trail },
    trail,
    erasures,
    index,
    db,
    keys,
    files,
    hashes: createHashThread(),
    locks: createRecordLocks(),
    uploading: new Set(),
    // Counters that were broken are counted again after this: never give a place that is taken.
    takeSeq: () => {
      const taken = Math.max(seq, db.stats().nextSeq);
      seq = taken + 1;
      return taken;
    },
  };
  return core;
}

/** Whether the index is the newest one; and what a crash left: deletions to end, blocks to collect, uploads to drop. */
async function recover(core: StoreCore): Promise<void> {
  core.index.condition = await checkFreshness(core);
  core.db.keepMarksOf(core.trail);
  if (core.index.condition.state === 'ahead') return;
  const deletions = await finishDeletions(core);
  const roots = await collectAllGarbage(core);
  await core.files.wipeStaging();
  core.erasures.resume(await countErasures(core));
  await core.db.commit([]);
  if (deletions + roots > 0) core.deps.log.info({ deletions, roots }, 'ended what a crash had cut off');
}
