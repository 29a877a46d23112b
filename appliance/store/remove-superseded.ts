import type { StoreCore } from './core.ts';
import { decodeEntry, type SupersededEntry } from './entries.ts';
import { collectGarbage } from './garbage.ts';
import { KIND, kindRange } from './index-keys.ts';
import { withShards } from './shard-removal.ts';
import type { Superseded } from './superseded.ts';

const CHUNK = 256;
/** What is still read, or kept for a backup, is looked at again after so long. */
const RETRY_MS = 10_000;
/** After a start nothing goes for so long: a backup that went on over it says again what it needs. */
const START_GRACE_MS = 60_000;
/** Nobody keeps replaced ciphertext longer without asking again. */
const MAX_KEEP_MS = 600_000;

/** `core` is asked for when there is work: by then the store is open. */
export function createSuperseded(core: () => StoreCore): Superseded {
  let keptUntil = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const later = (ms: number): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(wake, ms).unref();
  };

  async function work(): Promise<void> {
    const { deps } = core();
    try {
      if (deps.now().getTime() < keptUntil || (await removeUnused(core())) > 0) later(RETRY_MS);
    } catch (error) {
      if (core().signal.aborted) return;
      deps.log.warn({ err: error }, 'replaced ciphertext is still in the files; trying again');
      later(RETRY_MS);
    }
  }

  function wake(): void {
    if (stopped || running !== undefined) return;
    running = work().finally(() => {
      running = undefined;
    });
  }

  return {
    wake,
    keep(milliseconds) {
      keptUntil = Math.max(keptUntil, core().deps.now().getTime() + Math.min(milliseconds, MAX_KEEP_MS));
    },
    resume: () => later(START_GRACE_MS),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** How many are still needed. */
async function removeUnused(core: StoreCore): Promise<number> {
  const range = kindRange(KIND.superseded);
  let left = 0;
  for (let after: Uint8Array | undefined; ; ) {
    const chunk: { key: Uint8Array; entry: SupersededEntry }[] = [];
    const from = after === undefined ? {} : { gt: after };
    for await (const { key, value } of core.db.range({ ...range, ...from, limit: CHUNK }, () => undefined))
      chunk.push({ key, entry: decodeEntry<SupersededEntry>(value) });
    const last = chunk.at(-1);
    if (last === undefined) return left;
    after = last.key;
    const unused = chunk.filter(({ entry }) => !core.uses.isTaken(entry.root));
    left += chunk.length - unused.length;
    for (const { key, entry } of unused) {
      core.signal.throwIfAborted();
      await removeOne(core, key, entry);
    }
  }
}

/** A holder that is never reached keeps ciphertext of a key that is destroyed here. */
async function removeOne(core: StoreCore, key: Uint8Array, entry: SupersededEntry): Promise<void> {
  const { root, inline } = entry;
  if (!inline) await collectGarbage(core, root);
  const block = { type: 'del', key: core.keys.ofCid(KIND.inlineBlock, root) } as const;
  const shards = await withShards(core, [entry]);
  const releases = core.releases.add(shards.blobs);
  await core.db.commit([...shards.ops, ...(inline ? [block] : []), { type: 'del', key }, ...releases.ops], 'lazy');
  releases.settle();
}
