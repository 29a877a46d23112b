import { statfsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import { createBlockFiles } from './block-files.ts';
import { findBlock, type StoreCore, type StoreFolders, type StoreOptions } from './core.ts';
import { exportCar } from './export-car.ts';
import { collectAllGarbage } from './garbage.ts';
import { createHeldBlocks } from './held.ts';
import { openIndexDb } from './index-db.ts';
import { createIndexKeys } from './index-keys.ts';
import type { HeldBlocks, Store, StoreDeps } from './interfaces.ts';
import { listRecords } from './list.ts';
import { createStoreMetrics, type StoreMetrics } from './metrics.ts';
import { headRecord, openRecord } from './open.ts';
import { putRecord } from './put.ts';
import { createRecordLocks } from './record-locks.ts';
import { createReplicationQueue, getBlock, linksOf, markAnchored, markReplicated, unanchored } from './replication.ts';
import { rewrapAll } from './rewrap.ts';
import { scrubStore } from './scrub.ts';
import { finishDeletions, shredRecord } from './shred.ts';

interface Running {
  readonly core: StoreCore;
  readonly held: HeldBlocks;
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
      if (running !== undefined) metrics.records.set(running.core.db.stats().records);
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
      metrics.records.set(core.db.stats().records);
      metrics.heldBytes.set(core.db.stats().heldBytes);
      running = { core, held: createHeldBlocks(core), underReplicated: createReplicationQueue(core), abort };
    },
    async stop() {
      const stopping = running;
      running = undefined;
      stopping?.abort.abort(new NectarError('NODE_NOT_READY', { service: 'store', reason: 'stopping' }));
      await Promise.allSettled(inFlight);
      await stopping?.core.db.close();
    },
    readiness() {
      if (running === undefined) return { ready: false, reason: 'not started' };
      const { bavail, bsize } = statfsSync(folders.blocks);
      return bavail * bsize < options.minFreeBytes ? { ready: false, reason: 'the volume is full' } : { ready: true };
    },
    put: async (input, body, context, signal) =>
      counted('put', putRecord(use().core, { input, body, context, signal })),
    open: async (id, wanted, context, signal) =>
      counted('open', openRecord(use().core, { id, options: wanted, context, signal })),
    head: async (id, { version }, context) => track(headRecord(use().core, { id, version, context })),
    list: async (query, context) => track(listRecords(use().core, query, context)),
    shred: async (id, context, expected) => counted('shred', shredRecord(use().core, { id, context, expected })),
    rewrap: async (onProgress) => track(rewrapAll(use().core, onProgress)),
    exportCar: (id, { version }, context) => exportCar(use().core, { id, version, context }),
    scrub: async (onProgress, signal) => {
      const { core } = use();
      const either = signal === undefined ? core.signal : AbortSignal.any([signal, core.signal]);
      return track(scrubStore(core, onProgress, either));
    },
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
  const db = await openIndexDb({ folder: folders.index, valueKey, statsKey, crypto, randomBytes });
  let seq = db.stats().nextSeq;
  return {
    ...parts,
    db,
    keys,
    files,
    locks: createRecordLocks(),
    uploading: new Set(),
    takeSeq: () => seq++,
  };
}

/** What a crash left: deletions to end, blocks to collect, uploads to drop. */
async function recover(core: StoreCore): Promise<void> {
  const deletions = await finishDeletions(core);
  const roots = await collectAllGarbage(core);
  await core.files.wipeStaging();
  if (deletions + roots > 0) core.deps.log.info({ deletions, roots }, 'ended what a crash had cut off');
}
