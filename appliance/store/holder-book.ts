import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { decodeEntry, encodeEntry } from './entries.ts';
import type { IndexDb } from './index-db.ts';
import { type IndexKeys, KIND, kindRange } from './index-keys.ts';

/** False answers within this time count against a holder. */
const FAULTS_COUNT_MS = 30 * 86_400_000;
/** So many false answers, each about another blob, and nothing is counted with that holder until they are forgotten. */
const MAX_FAULTS = 3;
/** A clock that is put right by seconds says nothing. */
const MAX_SKEW_MS = 60_000;
/** Faults that are written down of one holder. */
const KEPT_FAULTS = 8;

/** `lost`: silent too long. `out`: the registry does not admit it. `distrusted`: it gave false answers. */
export type HolderState = 'good' | 'lost' | 'out' | 'distrusted';

/** What is known of a member that said it holds blobs of ours. */
export interface HolderEntry {
  readonly holder: PeerIdText;
  /** A blob to ask it about when chance draws none of its. */
  readonly root: Cid;
  readonly state: HolderState;
  /** Milliseconds since the epoch, as all times here. */
  readonly provedAt?: number;
  readonly askedAt?: number;
  /** The first question without an answer since the last proof. */
  readonly silentSince?: number;
  readonly faults: readonly number[];
  /** Versions that name it are still to be gone through. */
  readonly sweep: boolean;
}

/** Holders of our blobs, a few entries, all in memory and sealed in the index. */
export interface HolderBook {
  load(): Promise<void>;
  all(): HolderEntry[];
  find(holder: PeerIdText): HolderEntry | undefined;
  /** Durable with the next commit: what is lost of it by a kill is asked again. */
  set(entry: HolderEntry): Promise<void>;
  /** Whether a blob on it counts as a replica: it is in good standing and has answered lately. */
  counts(holder: PeerIdText): boolean;
}

export function createHolderBook(
  parts: { readonly db: () => IndexDb; readonly keys: IndexKeys },
  clock: { readonly now: () => Date; readonly lateMs: number },
): HolderBook {
  const entries = new Map<PeerIdText, HolderEntry>();
  return {
    async load() {
      for await (const { value } of parts.db().range(kindRange(KIND.holder), () => undefined)) {
        const entry = decodeEntry<HolderEntry>(value);
        entries.set(entry.holder, entry);
      }
    },
    all: () => [...entries.values()],
    find: (holder) => entries.get(holder),
    async set(entry) {
      entries.set(entry.holder, entry);
      await parts
        .db()
        .commit([{ type: 'put', key: parts.keys.holder(entry.holder), value: encodeEntry(entry) }], 'lazy');
    },
    counts(holder) {
      const entry = entries.get(holder);
      return entry?.state === 'good' && isWithin(entry.provedAt ?? 0, clock.now().getTime(), clock.lateMs);
    },
  };
}

/** Whether a moment is at most so long ago. One in the future was written by a clock that was wrong, and proves nothing of today. */
function isWithin(moment: number, now: number, ms: number): boolean {
  return now - moment <= ms && moment - now <= MAX_SKEW_MS;
}

/** After a proof: what kept it out is over, but false answers are remembered. */
export function proved(entry: HolderEntry, now: number): HolderEntry {
  const { silentSince: _, ...rest } = entry;
  const faults = entry.faults.filter((at) => now - at < FAULTS_COUNT_MS);
  const state = faults.length >= MAX_FAULTS ? 'distrusted' : 'good';
  return { ...rest, faults, state, provedAt: now, askedAt: now, sweep: state === 'good' ? false : entry.sweep };
}

/**
 * After a question without an answer. The time counts only while questions were asked: a node that was away itself begins anew.
 */
export function silent(
  entry: HolderEntry,
  now: number,
  limits: { readonly lateMs: number; readonly lostMs: number },
): HolderEntry {
  const asking = entry.askedAt !== undefined && isWithin(entry.askedAt, now, limits.lateMs);
  const silentSince = asking ? Math.min(entry.silentSince ?? now, now) : now;
  const isLost = entry.state === 'good' && now - silentSince >= limits.lostMs;
  return { ...entry, silentSince, askedAt: now, ...(isLost && ({ state: 'lost', sweep: true } as const)) };
}

export function putOut(entry: HolderEntry, now: number): HolderEntry {
  if (entry.state === 'out') return { ...entry, askedAt: now };
  return { ...entry, state: 'out', askedAt: now, sweep: true };
}

export function faulted(entry: HolderEntry, now: number): HolderEntry {
  const faults = [...entry.faults.filter((at) => now - at < FAULTS_COUNT_MS), now].slice(-KEPT_FAULTS);
  const isNew = faults.length >= MAX_FAULTS && entry.state !== 'distrusted';
  return { ...entry, faults, askedAt: now, ...(isNew && ({ state: 'distrusted', sweep: true } as const)) };
}
