import { rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { readIfThere } from './block-files.ts';
import { isBlockOf } from './cid.ts';
import { findEntry, type StoreCore, systemContext } from './core.ts';
import { walkDag } from './dag-walk.ts';
import { decodeEntry, encodeEntry, type HeldEntry, type HeldOwnerEntry, type HeldPartialEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { HeldBlocks } from './replicas.ts';
import type { HeldShardEntry } from './shard-entries.ts';

/** Blocks of an owner that go with one commit. */
const CHUNK = 256;

export interface HeldTidying {
  /** For the commit that brings a block of a blob: what marks that it is not known to be whole yet. */
  mark(owner: PeerIdText, root: Cid): readonly IndexOp[];
  /** That commit is done. */
  marked(owner: PeerIdText, root: Cid): void;
  readonly owners: HeldBlocks['owners'];
  readonly tidy: HeldBlocks['tidy'];
}

/** Blocks of others that nobody comes back for. Adversary: an owner that fills the disk with pieces of blobs, or who leaves it full. */
export function createHeldTidying(
  core: StoreCore,
  turns: {
    readonly inTurn: <T>(owner: PeerIdText, change: () => Promise<T>) => Promise<T>;
    readonly release: (owner: PeerIdText, root: Cid) => Promise<number>;
  },
): HeldTidying {
  /** When the last block of a blob came; one that an earlier process began has its whole time from now on. */
  const lastBlock = new Map<string, number>();
  const now = (): number => core.deps.now().getTime();
  const nameOf = (owner: PeerIdText, root: Cid): string => `${owner} ${root}`;

  async function owners(): Promise<PeerIdText[]> {
    const found: PeerIdText[] = [];
    for await (const { value } of core.db.range(kindRange(KIND.heldOwner), () => undefined)) {
      const { owner, bytes } = decodeEntry<HeldOwnerEntry>(value);
      if (owner !== undefined && bytes > 0) found.push(owner);
    }
    return found;
  }

  async function isWhole(owner: PeerIdText, root: Cid): Promise<boolean> {
    if ((await core.db.get(core.keys.heldShard(owner, root))) !== undefined) return true;
    const folder = join(core.folders.held, core.keys.heldFolder(owner));
    try {
      for await (const cid of walkDag(root, async (node) => {
        const block = await readIfThere(join(folder, node));
        if (block === undefined || !isBlockOf(node, block)) throw new PieceMissing();
        return block;
      }))
        if ((await core.db.get(core.keys.heldBlock(owner, cid))) === undefined) return false;
      return true;
    } catch (error) {
      if (error instanceof PieceMissing) return false;
      throw error;
    }
  }

  async function tidyPartials(): Promise<void> {
    const partials: HeldPartialEntry[] = [];
    for await (const { value } of core.db.range(kindRange(KIND.heldPartial), () => undefined))
      partials.push(decodeEntry<HeldPartialEntry>(value));
    for (const { owner, root } of partials) {
      core.signal.throwIfAborted();
      const name = nameOf(owner, root);
      const since = lastBlock.get(name) ?? now();
      lastBlock.set(name, since);
      if (now() - since < core.options.heldPartialMs) continue;
      await turns.inTurn(owner, async () => {
        if ((lastBlock.get(name) ?? since) > since) return;
        if (!(await isWhole(owner, root))) {
          const bytes = await turns.release(owner, root);
          core.deps.log.info({ owner, bytes }, 'a blob of a peer was never brought whole and is gone');
        }
        await core.db.commit([{ type: 'del', key: core.keys.heldPartial(owner, root) }]);
        lastBlock.delete(name);
      });
    }
  }

  async function tidyOwner(owner: PeerIdText, isMember: boolean): Promise<void> {
    const key = core.keys.heldOwner(owner);
    const entry = await findEntry<HeldOwnerEntry>(core, key);
    if (entry === undefined) return;
    const put = (next: HeldOwnerEntry): Promise<unknown> =>
      core.db.commit([{ type: 'put', key, value: encodeEntry(next) }]);
    const { outSince, ...rest } = entry;
    if (isMember) {
      if (outSince !== undefined) await put(rest);
    } else if (outSince === undefined || Date.parse(outSince) > now()) {
      // A moment that lies ahead was written by a clock that was wrong.
      await put({ ...rest, outSince: core.deps.now().toISOString() });
    } else if (now() - Date.parse(outSince) >= core.options.heldGraceMs) {
      const detail = { owner, bytes: entry.bytes, outSince };
      const context = systemContext('held');
      await core.deps.audit.append({ type: 'held.expire', outcome: 'success', context, detail });
      await removeAll(core, owner);
      core.deps.log.info({ owner, bytes: entry.bytes }, 'what was held for a former member has expired');
    }
  }

  return {
    mark(owner, root) {
      if (lastBlock.has(nameOf(owner, root))) return [];
      const marker: HeldPartialEntry = { owner, root };
      return [{ type: 'put', key: core.keys.heldPartial(owner, root), value: encodeEntry(marker) }];
    },
    marked: (owner, root) => void lastBlock.set(nameOf(owner, root), now()),
    owners,
    async tidy(standings) {
      for (const { owner, isMember } of standings) {
        core.signal.throwIfAborted();
        await turns.inTurn(owner, () => tidyOwner(owner, isMember));
      }
      await tidyPartials();
    },
  };
}

/** Internal: a node of the tree has not come. */
class PieceMissing extends Error {}

/** Files first, then their entries: a crash leaves entries without files, and the next look goes on. The owner's own entry goes last. */
async function removeAll(core: StoreCore, owner: PeerIdText): Promise<void> {
  const { db, keys, folders } = core;
  const folder = join(folders.held, keys.heldFolder(owner));
  let ops: IndexOp[] = [];
  let freed = 0;
  const commit = async (): Promise<void> => {
    await db.commit([...ops, { type: 'count', delta: { heldBytes: -freed } }]);
    [ops, freed] = [[], 0];
  };
  for await (const { key, value } of db.range(kindRange(KIND.heldRoot), () => undefined)) {
    const { cid } = decodeEntry<{ cid: Cid }>(value);
    if (!Buffer.from(keys.heldBlock(owner, cid).subarray(1)).equals(key.subarray(-32))) continue;
    ops.push({ type: 'del', key });
    if (ops.length >= CHUNK) await commit();
  }
  for await (const { key, value } of db.range(kindRange(KIND.heldBlock), () => undefined)) {
    const { cid, bytes } = decodeEntry<HeldEntry>(value);
    if (!Buffer.from(keys.heldBlock(owner, cid)).equals(key)) continue;
    await unlink(join(folder, cid)).catch(() => undefined);
    ops.push({ type: 'del', key });
    freed += bytes;
    if (ops.length >= CHUNK) await commit();
  }
  for await (const { key, value } of db.range(kindRange(KIND.heldPartial), () => undefined))
    if (decodeEntry<HeldPartialEntry>(value).owner === owner) ops.push({ type: 'del', key });
  for await (const { key, value } of db.range(kindRange(KIND.heldShard), () => undefined))
    if (decodeEntry<HeldShardEntry>(value).owner === owner) ops.push({ type: 'del', key });
  ops.push({ type: 'del', key: keys.heldOwner(owner) });
  await commit();
  await rm(folder, { recursive: true, force: true });
}
