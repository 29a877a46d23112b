import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreCore } from './core.ts';
import { decodeEntry, type ErasureEntry } from './entries.ts';
import type { Erasures } from './erasures.ts';
import { collectGarbage } from './garbage.ts';
import { KIND, kindRange } from './index-keys.ts';
import { withShards } from './shard-removal.ts';

/** Deletions that come in quick succession share one rewriting of the index's files. */
const GATHER_MS = 200;
const RETRY_MS = 30_000;
const MAX_BATCH = 256;

/** `core` is asked for when there is work: by then the store is open. */
export function createErasures(core: () => StoreCore): Erasures {
  let pending = 0;
  let running: Promise<void> | undefined;
  let again = false;

  async function work(): Promise<void> {
    const { signal } = core();
    do {
      again = false;
      try {
        await sleep(GATHER_MS, undefined, { signal });
        for (let done = -1; done !== 0; ) {
          signal.throwIfAborted();
          done = await eraseSome(core());
          pending = Math.max(0, pending - done);
        }
      } catch (error) {
        if (signal.aborted) return;
        core().deps.log.warn({ err: error }, 'destroyed bytes are still in the files; trying again');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
        again = true;
      }
    } while (again && !signal.aborted);
  }

  return {
    wake() {
      if (running !== undefined) {
        again = true;
        return;
      }
      running = work().finally(() => {
        running = undefined;
      });
    },
    pending: () => pending,
    added() {
      pending += 1;
    },
    resume(count) {
      pending = count;
      if (count > 0) this.wake();
    },
    async stop() {
      await running;
      if (pending === 0) return;
      await eraseSome(core()).catch((error: unknown) => {
        core().deps.log.warn({ err: error }, 'destroyed bytes are still in the files until the next start');
      });
    },
  };
}

/** Counts what is written down, at start. */
export async function countErasures(core: StoreCore): Promise<number> {
  let count = 0;
  for await (const _ of core.db.range(kindRange(KIND.erasure), () => undefined)) count += 1;
  return count;
}

/** How many are done. What their holders keep is unreadable by now, whether they hear of it or not; they are told by the queue of releases. */
async function eraseSome(core: StoreCore): Promise<number> {
  const { db } = core;
  const batch: { key: Uint8Array; entry: ErasureEntry }[] = [];
  for await (const { key, value } of db.range({ ...kindRange(KIND.erasure), limit: MAX_BATCH }, () => undefined))
    batch.push({ key, entry: decodeEntry<ErasureEntry>(value) });
  if (batch.length === 0) return 0;
  // Durable before anything is taken away for good.
  await db.commit([]);
  const blobs = batch.flatMap(({ entry }) => entry.blobs);
  for (const { root, inline } of blobs) if (!inline) await collectGarbage(core, root);
  await compactKeys(core, batch);
  const shards = await withShards(core, blobs);
  const releases = core.releases.add(shards.blobs);
  await db.commit([...shards.ops, ...releases.ops, ...batch.map(({ key }) => ({ type: 'del', key }) as const)]);
  releases.settle();
  return batch.length;
}

/** Rewrites the files that held the wrapped keys: of a few records theirs, of many the whole range once. */
async function compactKeys(core: StoreCore, batch: readonly { readonly entry: ErasureEntry }[]): Promise<void> {
  const { db, keys } = core;
  const heads = batch.map(({ entry }) => keys.head(entry.recordId)).toSorted(Buffer.compare);
  const versions = batch
    .map(({ entry }) => keys.versions(entry.recordId))
    .toSorted((a, b) => Buffer.compare(a.gte, b.gte));
  const [firstHead, lastHead] = [heads[0], heads.at(-1)];
  const [firstVersion, lastVersion] = [versions[0], versions.at(-1)];
  if (firstHead === undefined || lastHead === undefined || firstVersion === undefined || lastVersion === undefined)
    return;
  await db.compact({ gte: firstVersion.gte, lt: lastVersion.lt });
  await db.compact({ gte: firstHead, lt: Buffer.concat([lastHead, Uint8Array.of(0)]) });
}
