import { splitHashes } from '../../coding/host/segment-coder.ts';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { LEAF_BYTES, type LeafProof, PIECE_BYTES, proveLeaf, shardRoot } from '../../protocol/coding/shard-tree.ts';
import type { NamedLeaf, ShardToTake } from '../../protocol/network/shard-exchange.ts';
import { encodeAuditAnswer } from '../../protocol/storage/audit.ts';
import { shardIdBytes } from './cid.ts';
import { findEntry, type StoreCore } from './core.ts';
import { decodeEntry, encodeEntry } from './entries.ts';
import { offerOf } from './held-offer.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { HeldBlocks } from './replicas.ts';
import type { HeldShardEntry } from './shard-entries.ts';
import type { HeldShards } from './shards.ts';

/** All blocks of a shard but the last have this length: a piece of its tree lies in one of them. */
export const SHARD_BLOCK_BYTES = 1024 * 1024;

/**
 * Adversary: an owner that names an R which its bytes do not give, to have an honest holder fail every audit: the holder computes it
 * itself, once, and answers from what it computed.
 */
export function createHeldShards(core: StoreCore, held: Pick<HeldBlocks, 'get' | 'release'>): HeldShards {
  const find = (owner: PeerIdText, id: Cid): Promise<HeldShardEntry | undefined> =>
    findEntry<HeldShardEntry>(core, core.keys.heldShard(owner, id));

  async function read(owner: PeerIdText, { id, bytes, blocks }: ShardToTake): Promise<Uint8Array | 'absent' | 'wrong'> {
    const shard = new Uint8Array(bytes);
    let at = 0;
    for (const [index, cid] of blocks.entries()) {
      // Linked under this shard: a block that came for another one goes with that one.
      if ((await core.db.get(core.keys.heldRoot(owner, id, cid))) === undefined) return 'absent';
      const block = await held.get(owner, cid);
      if (block === undefined) return 'absent';
      const isLast = index === blocks.length - 1;
      if (at + block.length > bytes || (!isLast && block.length !== SHARD_BLOCK_BYTES)) return 'wrong';
      shard.set(block, at);
      at += block.length;
    }
    return at === bytes ? shard : 'wrong';
  }

  async function prove(owner: PeerIdText, { id, leaf }: NamedLeaf, read: ReadBlock): Promise<LeafProof | undefined> {
    const shard = await find(owner, id);
    if (shard === undefined || leaf >= shard.bytes / LEAF_BYTES) return undefined;
    const start = Math.floor((leaf * LEAF_BYTES) / PIECE_BYTES) * PIECE_BYTES;
    const block = await read(shard.blocks[Math.floor(start / SHARD_BLOCK_BYTES)]);
    if (block === undefined) return undefined;
    const from = start % SHARD_BLOCK_BYTES;
    const pieces = splitHashes(Buffer.from(shard.pieces, 'base64'));
    return proveLeaf({ shardBytes: shard.bytes, pieces }, leaf, block.subarray(from, from + PIECE_BYTES));
  }

  return {
    async freeBytes() {
      const { bytes, heldBytes } = offerOf(core);
      return core.deps.coding === undefined ? 0 : Math.max(0, bytes - heldBytes);
    },
    async take(owner, shard) {
      const { coding } = core.deps;
      if (coding === undefined) return { type: 'refused', reason: 'failed' };
      const root = Buffer.from(shard.root).toString('hex');
      const known = await find(owner, shard.id);
      if (known?.root === root && known.bytes === shard.bytes) return { type: 'taken' };
      const bytes = known === undefined ? await read(owner, shard) : 'wrong';
      const pieces = typeof bytes === 'string' ? undefined : await coding.pieces(bytes);
      if (pieces === undefined || !isRoot(shard, pieces)) {
        if (known === undefined) await held.release(owner, shard.id);
        return { type: 'refused', reason: bytes === 'absent' ? 'absent' : 'wrong' };
      }
      const { id, blocks } = shard;
      const entry: HeldShardEntry = { owner, id, root, bytes: shard.bytes, blocks, pieces: base64(pieces) };
      await core.db.commit([
        { type: 'put', key: core.keys.heldShard(owner, id), value: encodeEntry(entry) },
        { type: 'del', key: core.keys.heldPartial(owner, id) },
      ]);
      return { type: 'taken' };
    },
    async proveLeaves(owner, leaves) {
      const blocks = new Map<Cid, Uint8Array | undefined>();
      const readOnce: ReadBlock = async (cid) => {
        if (cid === undefined) return undefined;
        if (!blocks.has(cid)) blocks.set(cid, await held.get(owner, cid));
        return blocks.get(cid);
      };
      const proofs: LeafProof[] = [];
      for (const [question, leaf] of leaves.entries()) {
        const proof = await prove(owner, leaf, readOnce);
        if (proof === undefined) return { type: 'refused', reason: 'absent', question };
        proofs.push(proof);
      }
      return { type: 'proofs', answer: encodeAuditAnswer(proofs) };
    },
    async lists() {
      const lists = new Map<PeerIdText, { id: Uint8Array; root: Uint8Array; bytes: number }[]>();
      for await (const { value } of core.db.range(kindRange(KIND.heldShard), () => undefined)) {
        const { owner, id, root, bytes } = decodeEntry<HeldShardEntry>(value);
        const list = lists.get(owner) ?? [];
        lists.set(owner, list);
        list.push({ id: shardIdBytes(id), root: Uint8Array.from(Buffer.from(root, 'hex')), bytes });
      }
      return [...lists].map(([peer, shards]) => ({ peer, shards }));
    },
  };
}

type ReadBlock = (cid: Cid | undefined) => Promise<Uint8Array | undefined>;

function isRoot({ root, bytes }: ShardToTake, pieces: Uint8Array): boolean {
  return Buffer.compare(shardRoot(bytes, splitHashes(pieces)), root) === 0;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
