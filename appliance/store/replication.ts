import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import { COMMITMENT_SALT_BYTES, recordCommitment } from '../../protocol/envelope/commitment.ts';
import { isBlockOf } from './cid.ts';
import { findBlock, findEntry, type StoreCore } from './core.ts';
import { walkDag } from './dag-walk.ts';
import { decodeEntry, encodeEntry, type RefEntry, type VersionEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { VersionRef } from './interfaces.ts';
import type { UnderReplicated } from './replicas.ts';

/** The block, checked; undefined when it is not ours or not good. */
export async function getBlock(core: StoreCore, cid: Cid): Promise<Uint8Array | undefined> {
  const block = await findBlock(core, cid);
  return block !== undefined && isBlockOf(cid, block) ? block : undefined;
}

export async function linksOf(core: StoreCore, root: Cid): Promise<Cid[]> {
  if ((await core.db.get(core.keys.ofCid(KIND.root, root))) === undefined) return [];
  const blocks: Cid[] = [];
  for await (const cid of walkDag(root, (node) => getOwnNode(core, node))) blocks.push(cid);
  return blocks;
}

async function getOwnNode(core: StoreCore, cid: Cid): Promise<Uint8Array> {
  const node = await getBlock(core, cid);
  if (node === undefined) throw new NodeUnreadable();
  return node;
}

/** Internal: a tree that cannot be listed now; reads restore it, or say why not. */
class NodeUnreadable extends Error {}

/** Versions with fewer holders than wanted. Goes round: what no peer takes must not hide what comes behind it. */
export function createReplicationQueue(core: StoreCore): (limit: number) => Promise<UnderReplicated[]> {
  let after: Uint8Array | undefined;
  return async (limit) => {
    if (core.sharding.isCoding()) return [];
    const range = kindRange(KIND.underReplicated);
    const found: UnderReplicated[] = [];
    const start = after;
    after = undefined;
    for await (const { key, value } of core.db.range({
      ...range,
      ...(start === undefined ? {} : { gt: start }),
      limit,
    })) {
      after = key;
      const { recordId, version } = decodeEntry<RefEntry>(value);
      const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version));
      if (entry === undefined) continue;
      const blocks = await linksOf(core, entry.root).catch(ignoreUnreadable);
      if (blocks.length > 0) found.push({ root: entry.root, blocks, ...placementOf(core, entry) });
    }
    return found;
  };
}

/** Who lied about this blob, or about too many, is not asked to hold it again. */
function placementOf(core: StoreCore, entry: VersionEntry): Omit<UnderReplicated, 'root' | 'blocks'> {
  const former = entry.former ?? [];
  const liars = former.filter(({ why }) => why === 'false' || why === 'absent').map(({ holder }) => holder);
  const distrusted = core.holders.all().flatMap(({ holder, state }) => (state === 'distrusted' ? [holder] : []));
  return {
    holders: [...entry.holders],
    former: former.map(({ holder }) => holder),
    barred: [...new Set([...liars, ...distrusted])],
  };
}

function ignoreUnreadable(error: unknown): Cid[] {
  if (error instanceof NodeUnreadable) return [];
  throw error;
}

export async function markReplicated(core: StoreCore, root: Cid, holder: PeerIdText): Promise<void> {
  const ref = await findEntry<RefEntry>(core, core.keys.ofCid(KIND.root, root));
  if (ref === undefined) {
    // Destroyed or replaced while it was on its way there.
    const release = core.releases.add([{ root, holders: [holder] }]);
    await core.db.commit(release.ops);
    release.settle();
    return;
  }
  await changeVersion(core, ref, (entry) => {
    if (entry.root !== root || entry.holders.includes(holder)) return undefined;
    const former = (entry.former ?? []).filter((each) => each.holder !== holder);
    const changed = { ...entry, former, holders: [...entry.holders, holder] };
    const queued = core.keys.ofVersion(KIND.underReplicated, ref.recordId, ref.version);
    // One that is coded by now leaves the queue when its shards are placed: a replica that was on its way ends nothing.
    const isDone = changed.holders.length >= core.options.replicas && !core.sharding.isCoding();
    return { changed, ops: isDone ? [{ type: 'del', key: queued }] : [] };
  });
}

/** Versions looked up at a time. */
const LOOK_UP = 128;

/** What the chain may learn of versions that it does not know yet: salted hashes. */
export async function unanchored(core: StoreCore, limit: number): Promise<(VersionRef & { commitment: Uint8Array })[]> {
  const found: (VersionRef & { commitment: Uint8Array })[] = [];
  let refs: RefEntry[] = [];
  const look = async (): Promise<void> => {
    const taken = refs;
    refs = [];
    const keys = taken.map(({ recordId, version }) => core.keys.version(recordId, version));
    for (const [i, looked] of (await core.db.getMany(keys)).entries()) {
      // Asked for by itself it says what is wrong with it.
      const value = looked === 'broken' ? await core.db.get(keys[i] ?? new Uint8Array(0)) : looked;
      if (value === undefined) continue;
      const entry = decodeEntry<VersionEntry>(value);
      found.push({ recordId: entry.recordId, version: entry.version, commitment: commitmentOf(entry) });
    }
  };
  for await (const { value } of core.db.range({ ...kindRange(KIND.unanchored), limit })) {
    refs.push(decodeEntry<RefEntry>(value));
    if (refs.length >= LOOK_UP) await look();
  }
  await look();
  return found;
}

function commitmentOf({ recordId, version, root, salt }: VersionEntry): Uint8Array {
  const bytes = Buffer.from(salt, 'base64').subarray(0, COMMITMENT_SALT_BYTES);
  return recordCommitment({ salt: bytes, recordId, version, cid: root });
}

export async function markAnchored(
  core: StoreCore,
  items: readonly (VersionRef & { readonly commitment: Uint8Array })[],
  anchor: { readonly root: string; readonly batchId: string },
): Promise<void> {
  const mark = (item: VersionRef & { readonly commitment: Uint8Array }): Promise<void> =>
    changeVersion(core, item, (entry) => {
      // The root covers another commitment, as after a rekey: it says nothing about this version, which stays in the queue.
      if (Buffer.compare(commitmentOf(entry), item.commitment) !== 0) return undefined;
      const queued = core.keys.ofVersion(KIND.unanchored, item.recordId, item.version);
      const changed = { ...entry, anchor: { root: anchor.root, batchId: anchor.batchId } };
      const more = entry.anchor === undefined ? 1 : 0;
      return {
        changed,
        ops: [
          { type: 'del', key: queued },
          { type: 'count', delta: { anchored: more } },
        ],
      };
    });
  await Promise.all(items.map(mark));
}

/** Changes a version entry under its record's lock; nothing when the record was destroyed meanwhile. */
export function changeVersion(
  core: StoreCore,
  of: { readonly recordId: RecordId; readonly version: number },
  change: (entry: VersionEntry) => { changed: VersionEntry; ops: IndexOp[] } | undefined,
): Promise<void> {
  return core.locks.run(of.recordId, async () => {
    const key = core.keys.version(of.recordId, of.version);
    const entry = await findEntry<VersionEntry>(core, key);
    const result = entry === undefined ? undefined : change(entry);
    if (result === undefined) return;
    await core.db.commit([{ type: 'put', key, value: encodeEntry(result.changed) }, ...result.ops]);
  });
}
