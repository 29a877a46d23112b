import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBlobUses } from './blob-uses.ts';
import { createBlockFiles } from './block-files.ts';
import { conditionError } from './condition.ts';
import { type StoreCore, type StoreFolders, type StoreOptions, systemContext } from './core.ts';
import { countErasures, createErasures } from './erasure.ts';
import { checkFreshness } from './freshness.ts';
import { collectAllGarbage } from './garbage.ts';
import { createHashThread } from './hash-thread.ts';
import { loadOffer } from './held-offer.ts';
import { createHolderBook } from './holder-book.ts';
import { openIndexDb } from './index-db.ts';
import { watchIndex } from './index-health.ts';
import { createIndexKeys } from './index-keys.ts';
import { currentSecret } from './index-secret.ts';
import type { StoreMetrics } from './metrics.ts';
import type { StoreDeps } from './needs.ts';
import { createRecordLocks } from './record-locks.ts';
import { createReleaseQueue } from './release-queue.ts';
import { createSuperseded } from './remove-superseded.ts';
import { readScrubbed } from './scrub.ts';
import { createSharding } from './sharding.ts';
import { finishDeletions } from './shred.ts';
import { createTrail } from './trail.ts';

/** How long a stop waits for a log that may be gone already. */
const CLOSING_MS = 2_000;
/** Damaged values that are counted apart. */
const MAX_DAMAGED = 10_000;

/** The log is told last how far the index has come: whoever puts an older one in place is found out. */
export async function closeCore(core: StoreCore): Promise<void> {
  await core.superseded.stop();
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

/** Where the parts of the store lie below the home. */
export function foldersOf(home: string): StoreFolders {
  const inside = (name: string): string => join(home, 'store', name);
  return { index: inside('index'), blocks: inside('blocks'), staging: inside('staging'), held: inside('held') };
}

/** Opens the index and makes what the operations work with; nothing is repaired yet (`recover`). */
export async function openCore(parts: {
  readonly options: StoreOptions;
  readonly deps: StoreDeps;
  readonly folders: StoreFolders;
  readonly metrics: StoreMetrics;
  readonly signal: AbortSignal;
  /** Hears what takes long before the index is open. */
  readonly onStep: (step: string) => void;
}): Promise<StoreCore> {
  const { deps, folders } = parts;
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = createBlockFiles(folders);
  await files.prepare();
  const indexKey = await currentSecret(parts);
  const keys = createIndexKeys(deps.crypto, indexKey);
  indexKey.fill(0);
  const { valueKey, stats: statsKey } = keys;
  const { crypto, randomBytes } = deps;
  const damaged = new Set<string>();
  const onCorrupt = (key: Uint8Array): void => {
    if (damaged.size < MAX_DAMAGED) damaged.add(Buffer.from(key).toString('hex'));
    parts.metrics.damagedValues.set(damaged.size);
  };
  const opened = await openIndexDb({ folder: folders.index, valueKey, statsKey, crypto, randomBytes, onCorrupt });
  const { db, health } = watchIndex(opened, { log: deps.log, signal: parts.signal });
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
  const superseded = createSuperseded(() => core);
  const core: StoreCore = {
    get sharding() {
      return sharding;
    },
    ...parts,
    deps: { ...deps, audit: trail },
    trail,
    erasures,
    superseded,
    releases: createReleaseQueue(() => core),
    uses: createBlobUses(),
    holders: createHolderBook({ db: () => db, keys }, { now: () => deps.now(), lateMs: parts.options.holderLateMs }),
    offer: undefined,
    index,
    db,
    health,
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
  const sharding = createSharding(core);
  return core;
}

/** Whether the index is the newest one; and what a crash left: deletions to end, blocks to collect, uploads to drop. */
export async function recover(core: StoreCore): Promise<void> {
  core.index.condition = await checkFreshness(core);
  core.db.keepMarksOf(core.trail);
  if (core.index.condition.state === 'ahead') return;
  const deletions = await finishDeletions(core);
  const roots = await collectAllGarbage(core);
  await core.files.wipeStaging();
  await core.holders.load();
  await core.releases.load();
  await core.sharding.load();
  await loadOffer(core);
  await readScrubbed(core);
  core.erasures.resume(await countErasures(core));
  await core.db.commit([]);
  if (deletions + roots > 0)
    core.deps.log.info({ deletions, roots }, 'deletions that a crash had interrupted are complete');
}
