import type { PeerIdText } from '../../protocol/brand.ts';
import { type ShardState, shardState } from '../../protocol/storage/repair.ts';
import { type AuditResult, afterAudit, isSuspended, NEW_STANDING, scoreOf } from '../../protocol/storage/standing.ts';
import type { StoreCore } from './core.ts';
import { decodeEntry, encodeEntry } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { ShardEntry, ShardHolderEntry } from './shard-entries.ts';
import type { ShardHolderStanding } from './shards.ts';

/** A silence counts only while this node asked: with a longer gap between two questions it begins anew. */
const ASKED_WITHIN_MS = 3_600_000;
/** That a holder answered is written down so often at most; what a kill forgets of it is asked again. */
const WRITE_EVERY_MS = 600_000;

/** Holders of our shards, in memory and sealed in the index. */
export interface ShardBook {
  load(): Promise<void>;
  all(): ShardHolderEntry[];
  get(holder: PeerIdText): ShardHolderEntry;
  set(entry: ShardHolderEntry): Promise<void>;
  /** It answered something. */
  heard(holder: PeerIdText): Promise<void>;
  /** It was asked and did not answer. */
  silent(holder: PeerIdText): Promise<void>;
  /** Whether the registry admits it. */
  setOut(holder: PeerIdText, isOut: boolean): Promise<void>;
  audited(holder: PeerIdText, result: AuditResult): Promise<void>;
  stateOf(shard: ShardEntry): ShardState | undefined;
}

export function createShardBook(core: StoreCore): ShardBook {
  const entries = new Map<PeerIdText, ShardHolderEntry>();
  const now = (): number => core.deps.now().getTime();

  function get(holder: PeerIdText): ShardHolderEntry {
    return entries.get(holder) ?? { holder, ...NEW_STANDING, isOut: false };
  }

  async function set(entry: ShardHolderEntry, how?: 'memory'): Promise<void> {
    entries.set(entry.holder, entry);
    if (how === 'memory') return;
    await core.db.commit(
      [{ type: 'put', key: core.keys.shardHolder(entry.holder), value: encodeEntry(entry) }],
      'lazy',
    );
  }

  async function heard(holder: PeerIdText): Promise<void> {
    const { silentSince, ...entry } = get(holder);
    const at = now();
    const isWritten = entries.has(holder) && silentSince === undefined && at - (entry.askedAt ?? 0) < WRITE_EVERY_MS;
    if (isWritten) return;
    await set({ ...entry, isOut: false, askedAt: at });
  }

  return {
    async load() {
      for await (const { value } of core.db.range(kindRange(KIND.shardHolder), () => undefined)) {
        const entry = decodeEntry<ShardHolderEntry>(value);
        entries.set(entry.holder, entry);
      }
    },
    all: () => [...entries.values()],
    get,
    set,
    heard,
    async silent(holder) {
      if (!entries.has(holder)) return;
      const entry = get(holder);
      const at = now();
      const isAsking = entry.askedAt !== undefined && Math.abs(at - entry.askedAt) <= ASKED_WITHIN_MS;
      const silentSince = isAsking ? Math.min(entry.silentSince ?? at, at) : at;
      await set({ ...entry, silentSince, askedAt: at });
    },
    async setOut(holder, isOut) {
      const entry = get(holder);
      if (entries.has(holder) && entry.isOut !== isOut) await set({ ...entry, isOut });
    },
    async audited(holder, result) {
      const { pending: _, ...entry } = get(holder);
      const at = now();
      await set({ ...entry, ...afterAudit(entry, result), auditAt: at, ...(result === 'passed' && { provedAt: at }) });
    },
    stateOf({ holder, stage }) {
      if (holder === undefined || stage === 'waiting') return undefined;
      const { silentSince, isOut } = get(holder);
      const silentMs = silentSince === undefined ? 0 : Math.max(0, now() - silentSince);
      return shardState({ silentMs, isEjected: isOut, isFaulted: stage === 'lost' });
    },
  };
}

/** How a holder is shown. */
export function standingOf(entry: ShardHolderEntry): ShardHolderStanding {
  const { holder, passed, provedAt } = entry;
  return {
    ...{ holder, passed, score: Math.round(scoreOf(entry) * 1000) / 1000, isSuspended: isSuspended(entry) },
    ...(provedAt !== undefined && { provedAt: new Date(provedAt).toISOString() }),
  };
}
