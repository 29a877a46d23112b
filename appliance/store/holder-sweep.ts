import type { PeerIdText } from '../../protocol/brand.ts';
import type { StoreCore } from './core.ts';
import { decodeEntry, type FormerHolder, type VersionEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import { changeVersion } from './replication.ts';

/** Versions that are looked at before others get their turn. */
const CHUNK = 128;
/** Former holders that a version remembers; the oldest goes. */
const MAX_FORMER = 16;

/** Takes a holder off a version: it is read from and told of the deletion as before, and counts no more. */
export function withoutHolder(
  core: StoreCore,
  entry: VersionEntry,
  former: FormerHolder,
): { changed: VersionEntry; ops: IndexOp[] } {
  const { recordId, version } = entry;
  const holders = entry.holders.filter((holder) => holder !== former.holder);
  const others = (entry.former ?? []).filter(({ holder }) => holder !== former.holder);
  const changed = { ...entry, holders, former: [...others, former].slice(-MAX_FORMER) };
  if (holders.length >= core.options.replicas) return { changed, ops: [] };
  const key = core.keys.ofVersion(KIND.underReplicated, recordId, version);
  return { changed, ops: [{ type: 'put', key, value: Buffer.from(JSON.stringify({ recordId, version })) }] };
}

export interface HolderSweep {
  /** Goes through all versions where a holder is marked for it. */
  wake(): void;
  stop(): Promise<void>;
}

/** Takes holders that are lost, out or distrusted off every version, so that each finds another one. Goes on after a restart. */
export function createHolderSweep(core: StoreCore): HolderSweep {
  let running: Promise<void> | undefined;
  let again = false;

  async function work(): Promise<void> {
    do {
      again = false;
      const due = new Map(
        core.holders
          .all()
          .filter(({ sweep }) => sweep)
          .map((entry) => [entry.holder, entry.state]),
      );
      if (due.size === 0) return;
      const versions = await sweep(core, due);
      for (const [holder, state] of due) {
        const entry = core.holders.find(holder);
        if (entry?.state === state) await core.holders.set({ ...entry, sweep: false });
        else again = true;
      }
      core.deps.log.warn({ holders: due.size, versions }, 'replicas of lost holders no longer count');
    } while (again && !core.signal.aborted);
  }

  return {
    wake() {
      again = true;
      running ??= work()
        .catch((error: unknown) => {
          if (!core.signal.aborted) core.deps.log.warn({ err: error }, 'replicas of lost holders still count');
        })
        .finally(() => {
          running = undefined;
        });
    },
    async stop() {
      await running;
    },
  };
}

/** How many versions were changed. */
async function sweep(core: StoreCore, due: ReadonlyMap<PeerIdText, FormerHolder['why'] | 'good'>): Promise<number> {
  let versions = 0;
  for (let after: Uint8Array | undefined; ; ) {
    core.signal.throwIfAborted();
    const from = after === undefined ? {} : { gt: after };
    const chunk: VersionEntry[] = [];
    let last: Uint8Array | undefined;
    for await (const { key, value } of core.db.range(
      { ...kindRange(KIND.version), ...from, limit: CHUNK },
      () => undefined,
    )) {
      last = key;
      chunk.push(decodeEntry<VersionEntry>(value));
    }
    if (last === undefined) return versions;
    after = last;
    for (const entry of chunk) {
      for (const holder of entry.holders) {
        const why = due.get(holder);
        if (why === undefined || why === 'good') continue;
        const since = core.deps.now().toISOString();
        await changeVersion(core, entry, (now) =>
          now.root === entry.root && now.holders.includes(holder)
            ? withoutHolder(core, now, { holder, why, since })
            : undefined,
        );
        versions += 1;
      }
    }
  }
}
