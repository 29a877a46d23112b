import { stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { SEGMENT_BYTES } from '../../protocol/envelope/format.ts';
import { NectarError } from '../../protocol/errors.ts';
import { makeFolder, requireFree } from '../durable-file.ts';
import { placeFile, readIfThere } from './block-files.ts';
import { isBlockOf, parseCid } from './cid.ts';
import { findEntry, type StoreCore, stagingName } from './core.ts';
import { decodeEntry, encodeEntry, type HeldEntry, type HeldOwnerEntry } from './entries.ts';
import { offerOf } from './held-offer.ts';
import { createHeldTidying } from './held-tidying.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { HeldBlocks } from './replicas.ts';

/** A leaf is at most one segment; nodes are smaller. */
const MAX_BLOCK_BYTES = SEGMENT_BYTES;
/** Owners remembered as named. */
const MAX_NAMED = 1_024;

/**
 * Ciphertext blocks of other owners, apart from our own and from each other's: an owner can neither read nor release what
 * another one stored here, even under the same CID.
 */
export function createHeldBlocks(core: StoreCore): HeldBlocks {
  const path = (owner: PeerIdText, cid: Cid): string => join(core.folders.held, core.keys.heldFolder(owner), cid);
  const tidying = createHeldTidying(core, { inTurn: (owner, change) => inTurn(owner, change), release });
  const named = new Set<PeerIdText>();
  const ownerOf = async (owner: PeerIdText): Promise<HeldOwnerEntry> =>
    (await findEntry<HeldOwnerEntry>(core, core.keys.heldOwner(owner))) ?? { bytes: 0 };
  const inTurn = <T>(owner: PeerIdText, change: () => Promise<T>): Promise<T> =>
    core.locks.run(`held ${owner}`, change);
  const ownerOp = (owner: PeerIdText, entry: HeldOwnerEntry): IndexOp => ({
    type: 'put',
    key: core.keys.heldOwner(owner),
    value: encodeEntry({ ...entry, owner }),
  });

  /** Entries of earlier versions do not say whose they are: whoever asks for something of them does. */
  async function nameOwner(owner: PeerIdText): Promise<void> {
    if (named.has(owner)) return;
    if (named.size >= MAX_NAMED) named.clear();
    named.add(owner);
    await inTurn(owner, async () => {
      const entry = await ownerOf(owner);
      if (entry.bytes > 0 && entry.owner === undefined) await core.db.commit([ownerOp(owner, entry)]);
    });
  }

  async function hold(
    owner: PeerIdText,
    root: Cid,
    block: { readonly cid: Cid; readonly bytes: Uint8Array },
  ): Promise<void> {
    const { cid, bytes } = block;
    const key = core.keys.heldBlock(owner, cid);
    const link: IndexOp = { type: 'put', key: core.keys.heldRoot(owner, root, cid), value: encodeEntry({ cid, root }) };
    const known = await findEntry<HeldEntry>(core, key);
    if (known === undefined) {
      const { bytes: used } = await ownerOf(owner);
      checkQuota(core, used, bytes.length);
      const entry: HeldEntry = { root, roots: [root], cid, bytes: bytes.length };
      const put: IndexOp = { type: 'put', key, value: encodeEntry(entry) };
      // The entry goes first: a crash then leaves an entry without a file, which release removes, and never a lost file.
      await core.db.commit([
        put,
        link,
        ownerOp(owner, { bytes: used + bytes.length }),
        ...tidying.mark(owner, root),
        { type: 'count', delta: { heldBytes: bytes.length } },
      ]);
    } else if (!(known.roots ?? []).includes(root)) {
      const entry: HeldEntry = { ...known, roots: [...(await rootsOf(owner, known)), root] };
      await core.db.commit([{ type: 'put', key, value: encodeEntry(entry) }, link, ...tidying.mark(owner, root)]);
    }
    tidying.marked(owner, root);
    if (await isThere(path(owner, cid))) return;
    await makeFolder(join(core.folders.held, core.keys.heldFolder(owner)));
    await placeFile(join(core.folders.staging, stagingName(core)), path(owner, cid), bytes);
  }

  /** Of an entry that does not say it: the links of all roots end in the name of their block. */
  async function rootsOf(owner: PeerIdText, entry: HeldEntry): Promise<Cid[]> {
    if (entry.roots !== undefined) return [...entry.roots];
    const name = core.keys.heldBlock(owner, entry.cid).subarray(1);
    const others: Cid[] = [];
    for await (const { key, value } of core.db.range(kindRange(KIND.heldRoot), () => undefined)) {
      const { root } = decodeEntry<{ root?: Cid }>(value);
      if (!Buffer.from(name).equals(key.subarray(-name.length))) continue;
      // Links of earlier versions name no root: one more than the first keeps the block.
      others.push(root ?? (Buffer.from(key).toString('hex') as Cid));
    }
    const first = Buffer.from(core.keys.heldRoot(owner, entry.root, entry.cid)).toString('hex');
    return [entry.root, ...others.filter((root) => root !== entry.root && root !== first)];
  }

  async function release(owner: PeerIdText, root: Cid, cids?: ReadonlySet<Cid>): Promise<number> {
    const ops: IndexOp[] = [];
    let freed = 0;
    for await (const { key, value } of core.db.range(core.keys.heldRoots(owner, root))) {
      const { cid } = decodeEntry<{ cid: Cid }>(value);
      if (cids?.has(cid) === false) continue;
      ops.push({ type: 'del', key });
      const block = core.keys.heldBlock(owner, cid);
      const entry = await findEntry<HeldEntry>(core, block);
      if (entry === undefined) continue;
      const link = Buffer.from(key).toString('hex');
      const roots = (await rootsOf(owner, entry)).filter((each) => each !== root && each !== link);
      const [first] = roots;
      if (first !== undefined) {
        ops.push({ type: 'put', key: block, value: encodeEntry({ ...entry, root: first, roots }) });
        continue;
      }
      freed += entry.bytes;
      await unlink(path(owner, cid)).catch(() => undefined);
      ops.push({ type: 'del', key: block });
    }
    if (ops.length === 0) return 0;
    if (cids === undefined) ops.push({ type: 'del', key: core.keys.heldShard(owner, root) });
    const entry = await ownerOf(owner);
    ops.push(ownerOp(owner, { ...entry, bytes: entry.bytes - freed }), { type: 'count', delta: { heldBytes: -freed } });
    await core.db.commit(ops);
    return freed;
  }

  return {
    async hold(owner, root, block) {
      checkBlock(root, block);
      await requireFree(core.folders.held, core.options.minFreeBytes);
      await requireShare(core, block.bytes.length);
      await inTurn(owner, () => hold(owner, root, block));
    },
    async get(owner, cid) {
      await nameOwner(owner);
      if ((await core.db.get(core.keys.heldBlock(owner, cid))) === undefined) return undefined;
      const block = await readIfThere(path(owner, cid));
      return block !== undefined && isBlockOf(cid, block) ? block : undefined;
    },
    release: (owner, root, cids) =>
      inTurn(owner, () => release(owner, root, cids === undefined ? undefined : new Set(cids))),
    bytes: () => core.db.stats().heldBytes,
    owners: tidying.owners,
    owes: async (owner) => (await ownerOf(owner)).bytes > 0,
    tidy: tidying.tidy,
  };
}

/** Size before shape before hash: a hostile peer chose all of it. */
function checkBlock(root: Cid, block: { readonly cid: Cid; readonly bytes: Uint8Array }): void {
  const { cid, bytes } = block;
  if (bytes.length > MAX_BLOCK_BYTES)
    throw new NectarError('STORE_BLOCK_INVALID', { cid: 'a block', problem: `over ${MAX_BLOCK_BYTES} bytes` });
  if (parseCid(root) === undefined || parseCid(cid) === undefined) {
    throw new NectarError('STORE_BLOCK_INVALID', { cid: 'a block', problem: 'its CID is of no kind that is held' });
  }
  if (!isBlockOf(cid, bytes)) throw new NectarError('STORE_BLOCK_INVALID', { cid, problem: 'its hash is another' });
}

function checkQuota(core: StoreCore, ownerBytes: number, more: number): void {
  const { heldPerOwnerMaxBytes } = core.options;
  const { bytes: heldMaxBytes } = offerOf(core);
  if (ownerBytes + more > heldPerOwnerMaxBytes) {
    throw new NectarError('STORE_HELD_QUOTA', { quotaBytes: heldPerOwnerMaxBytes, scope: 'one owner' });
  }
  if (core.db.stats().heldBytes + more > heldMaxBytes) {
    throw new NectarError('STORE_HELD_QUOTA', { quotaBytes: heldMaxBytes, scope: 'all owners' });
  }
}

/** Others have a part of what is free here, never the rest: a node full of others' blocks still stores its owner's records. */
async function requireShare(core: StoreCore, more: number): Promise<void> {
  const { heldMaxPercent, ownReserveBytes } = core.options;
  const { bavail, bsize } = await statfs(core.folders.held);
  const free = bavail * bsize;
  const held = core.db.stats().heldBytes;
  const share = Math.floor(((free + held) * heldMaxPercent) / 100);
  const quotaBytes = Math.min(share, Math.max(0, free + held - ownReserveBytes));
  if (held + more > quotaBytes) throw new NectarError('STORE_HELD_QUOTA', { quotaBytes, scope: 'all owners' });
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
