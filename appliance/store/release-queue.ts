import type { PeerIdText } from '../../protocol/brand.ts';
import { type StoreCore, systemContext } from './core.ts';
import { decodeEntry, encodeEntry, type ReleaseEntry } from './entries.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { ReleaseQueue } from './releases.ts';
import type { PendingRelease } from './replicas.ts';

/** Blobs that a holder is told of at a time; one receipt covers them. */
const PER_HOLDER = 64;
/** Entries of a holder that are looked through for those that it receipted. */
const LOOK_THROUGH = 1_024;

interface Waiting {
  readonly pending: number;
  /** Milliseconds since the epoch. */
  readonly oldest: number;
}

/** `core` is asked for when there is work: by then the store is open. */
export function createReleaseQueue(core: () => StoreCore): ReleaseQueue {
  const holders = new Map<PeerIdText, Waiting>();
  let after: PeerIdText | undefined;

  function note(holder: PeerIdText, since: number): void {
    const { pending, oldest } = holders.get(holder) ?? { pending: 0, oldest: since };
    holders.set(holder, { pending: pending + 1, oldest: Math.min(oldest, since) });
  }

  /** The first entries of a holder, the oldest first. */
  async function read(holder: PeerIdText, limit: number): Promise<{ key: Uint8Array; entry: ReleaseEntry }[]> {
    const found: { key: Uint8Array; entry: ReleaseEntry }[] = [];
    for await (const { key, value } of core().db.range({ ...core().keys.releases(holder), limit }, () => undefined))
      found.push({ key, entry: decodeEntry<ReleaseEntry>(value) });
    return found;
  }

  async function remove(holder: PeerIdText, keys: readonly Uint8Array[]): Promise<void> {
    await core().db.commit(keys.map((key) => ({ type: 'del', key })));
    const pending = (holders.get(holder)?.pending ?? 0) - keys.length;
    const [first] = await read(holder, 1);
    if (first === undefined) holders.delete(holder);
    else holders.set(holder, { pending: Math.max(1, pending), oldest: Date.parse(first.entry.since) });
    tell();
  }

  function tell(): void {
    const all = [...holders.values()];
    core().metrics.pendingReleases.set(all.reduce((sum, { pending }) => sum + pending, 0));
  }

  /** A holder that never came back: what it keeps has been unreadable since the day of the deletion. That there is no receipt is on record. */
  async function giveUp(
    holder: PeerIdText,
    expired: readonly { key: Uint8Array; entry: ReleaseEntry }[],
  ): Promise<void> {
    const detail = { holder, ids: expired.map(({ entry }) => entry.root).join(' '), problem: 'no receipt' };
    const context = systemContext('releases');
    await core().deps.audit.append({ type: 'replica.release', outcome: 'failure', context, detail });
    core().deps.log.warn(
      { holder, blobs: expired.length },
      'a holder never receipted a deletion, and is not told again',
    );
    await remove(
      holder,
      expired.map(({ key }) => key),
    );
  }

  async function dueOf(holder: PeerIdText): Promise<PendingRelease | undefined> {
    const entries = await read(holder, PER_HOLDER);
    const end = core().deps.now().getTime() - core().options.releaseMaxAgeMs;
    const expired = entries.filter(({ entry }) => Date.parse(entry.since) < end);
    if (expired.length > 0) await giveUp(holder, expired);
    const roots = entries.filter((each) => !expired.includes(each)).map(({ entry }) => entry.root);
    return roots.length === 0 ? undefined : { holder, roots: [...new Set(roots)] };
  }

  return {
    async load() {
      holders.clear();
      for await (const { value } of core().db.range(kindRange(KIND.release), () => undefined)) {
        const { holder, since } = decodeEntry<ReleaseEntry>(value);
        note(holder, Date.parse(since));
      }
      tell();
    },
    add(blobs) {
      const now = core().deps.now();
      const since = now.toISOString();
      const entries = blobs.flatMap(({ root, holders: all }) =>
        all.map((holder): ReleaseEntry => ({ holder, root, since })),
      );
      return {
        ops: entries.map((entry) => ({
          type: 'put',
          key: core().keys.release(entry.holder, now.getTime(), entry.root),
          value: encodeEntry(entry),
        })),
        settle() {
          for (const { holder } of entries) note(holder, now.getTime());
          tell();
        },
      };
    },
    async due(limit) {
      const all = [...holders.keys()];
      const from = after === undefined ? 0 : all.indexOf(after) + 1;
      const turn = [...all.slice(from), ...all.slice(0, from)].slice(0, limit);
      after = turn.at(-1);
      const found: PendingRelease[] = [];
      for (const holder of turn) {
        const due = await dueOf(holder);
        if (due !== undefined) found.push(due);
      }
      return found;
    },
    async receipted({ holder, roots, receipt }) {
      const named = new Set(roots);
      const entries = (await read(holder, LOOK_THROUGH)).filter(({ entry }) => named.has(entry.root));
      if (entries.length === 0) return;
      const { nonce, epoch, bytes, signature } = receipt;
      const detail = { holder, ids: roots.join(' '), nonce, epoch, bytes, receipt: signature };
      const context = systemContext('releases');
      await core().deps.audit.append({ type: 'replica.release', outcome: 'success', context, detail });
      core().metrics.releaseReceipts.inc();
      await remove(
        holder,
        entries.map(({ key }) => key),
      );
    },
    standing() {
      const all = [...holders.values()];
      if (all.length === 0) return { pending: 0 };
      const pending = all.reduce((sum, each) => sum + each.pending, 0);
      const oldest = all.reduce((least, each) => Math.min(least, each.oldest), Number.POSITIVE_INFINITY);
      return { pending, oldestMs: Math.max(0, core().deps.now().getTime() - oldest) };
    },
  };
}
