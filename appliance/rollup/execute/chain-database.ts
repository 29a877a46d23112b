import { randomBytes } from 'node:crypto';
import { type Block, createBlockFromRLP } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeReceipts, type Receipt, receiptHashes } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { claimFormat } from './database-format.ts';
import { createDatabaseKeys, type DatabaseKeys, HEADS_KEY } from './database-keys.ts';
import type { BlockRef, Heads } from './heads.ts';
import { encodeFresh, findInGroup, groupOf, movedFrom, packPreimages } from './packed-preimages.ts';
import { createPreimageCache } from './preimage-cache.ts';
import { createRecentGroups } from './recent-groups.ts';
import { createSealedLevel, type SealedLevel, type SealedOperation } from './sealed-level.ts';
import type { Sealer } from './sealer.ts';
import { createStatePlaces, type StatePlaces } from './state-places.ts';

/** Where a transaction of the canonical chain is. */
export interface TransactionPlace {
  readonly blockNumber: bigint;
  readonly index: number;
}

/** A block as it is written. */
export interface WrittenBlock {
  readonly hash: Hex;
  readonly number: bigint;
  readonly blockBytes: Uint8Array;
  /** What `decodeReceipts` reads. */
  readonly receiptBytes: Uint8Array;
  readonly transactionHashes: readonly Hex[];
  /** Its new state by hash, where no thread has sealed it as `operations` already. */
  readonly preimages?: ReadonlyMap<Hex, Uint8Array>;
}

/** Everything that one step of the chain changes; written in one atomic batch. */
export interface ChainChange {
  /** New state, as a block's thread has sealed it. */
  readonly operations?: readonly SealedOperation[];
  /** A block that becomes canonical. */
  readonly block?: WrittenBlock;
  /** Blocks that are canonical no more. */
  readonly removed?: readonly Block[];
  readonly heads?: Heads;
  /** Named values of other parts of the rollup that must change together with the heads; undefined deletes. */
  readonly records?: ReadonlyMap<string, Uint8Array | undefined>;
}

/**
 * The sealed chain database: blocks, receipts, state and heads. A kill at any point leaves the state before or after a change.
 * Throws ROLLUP_DATABASE_FORMAT (at `open`: another version wrote it), ROLLUP_DATABASE_INVALID (does not authenticate), ROLLUP_DATABASE_FAILED, NODE_DISK_FULL.
 */
export interface ChainDatabase {
  /** The bytes whose Keccak-256 is `hash`: trie nodes, code and headers of the chain. */
  get(hash: Hex): Promise<Uint8Array | undefined>;
  open(): Promise<void>;
  close(): Promise<void>;
  beforeReopen: SealedLevel['beforeReopen'];
  heads(): Promise<Heads | undefined>;
  canonicalHash(number: bigint): Promise<Hex | undefined>;
  block(hash: Hex): Promise<Block | undefined>;
  receipts(hash: Hex): Promise<Receipt[] | undefined>;
  transaction(hash: Hex): Promise<TransactionPlace | undefined>;
  record(name: string): Promise<Uint8Array | undefined>;
  readonly places: StatePlaces;
  apply(change: ChainChange): Promise<void>;
}

export interface ChainDatabaseOptions {
  readonly path: string;
  /** 32 bytes: names of keys are hidden with it; values are sealed by the sealer. */
  readonly databaseKey: Uint8Array;
  /** Memory for recently used groups of preimages. */
  readonly cacheBytes: number;
  /** fsync every change: for a sequencer, which must not forget what it signed. A follower derives it again. */
  readonly durable: boolean;
}

function encodeRef({ number, hash, timestamp }: BlockRef): string[] {
  return [number.toString(), hash, timestamp.toString()];
}

function encodeHeads({ unsafe, safe, finalized }: Heads): Uint8Array {
  return Buffer.from(JSON.stringify([unsafe, safe, finalized].map(encodeRef)));
}

function decodeHeads(bytes: Uint8Array): Heads {
  const rows = JSON.parse(Buffer.from(bytes).toString()) as [string, Hex, string][];
  const [unsafe, safe, finalized] = rows.map(([number, hash, timestamp]) => ({
    number: BigInt(number),
    hash,
    timestamp: BigInt(timestamp),
  }));
  if (!unsafe || !safe || !finalized) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'set of heads' });
  return { unsafe, safe, finalized };
}

const PLACE_BYTES = 12;

/** As it is: whoever holds a transaction's hash can ask anybody where it is. What it leads to is checked. */
function encodePlace(blockNumber: bigint, index: number): Uint8Array {
  const place = Buffer.alloc(PLACE_BYTES);
  place.writeBigUInt64BE(blockNumber);
  place.writeUInt32BE(index, 8);
  return place;
}

function decodePlace(bytes: Uint8Array): TransactionPlace {
  if (bytes.length !== PLACE_BYTES) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'transaction place' });
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return { blockNumber: view.readBigUInt64BE(), index: view.readUInt32BE(8) };
}

function blockOperations(
  { hash, number, blockBytes, receiptBytes, transactionHashes }: WrittenBlock,
  keys: DatabaseKeys,
): SealedOperation[] {
  const places = transactionHashes.map((transactionHash, index) => ({
    type: 'put' as const,
    key: keys.byHash('transaction', transactionHash),
    value: encodePlace(number, index),
    asIs: true,
  }));
  return [
    { type: 'put', key: keys.byHash('block', hash), value: blockBytes },
    { type: 'put', key: keys.byHash('receipts', hash), value: receiptBytes },
    { type: 'put', key: keys.byName('canonical', number.toString()), value: hexToBytes(hash) },
    ...places,
  ];
}

function removeOperations(block: Block, keys: DatabaseKeys): SealedOperation[] {
  const places = block.transactions.map((tx) => keys.byHash('transaction', bytesToHex(tx.hash())));
  const canonical = keys.byName('canonical', block.header.number.toString());
  return [canonical, ...places].map((key) => ({ type: 'del', key }));
}

function toOperations(
  { operations, block, removed, heads, records }: ChainChange,
  keys: DatabaseKeys,
): SealedOperation[] {
  const named = Array.from(records ?? [], ([name, value]): SealedOperation => {
    const key = keys.byName('record', name);
    return value === undefined ? { type: 'del', key } : { type: 'put', key, value };
  });
  return [
    // First: a transaction of a removed block may be in the new one again.
    ...(removed ?? []).flatMap((gone) => removeOperations(gone, keys)),
    ...(operations ?? []),
    ...(block ? blockOperations(block, keys) : []),
    ...(heads ? [{ type: 'put' as const, key: HEADS_KEY, value: encodeHeads(heads) }] : []),
    ...named,
  ];
}

function packState(
  { number, hash, preimages = new Map() }: WrittenBlock,
  packing: { readonly keys: DatabaseKeys; readonly sealer: Sealer },
): SealedOperation[] {
  const fresh = encodeFresh(Array.from(preimages, ([name, bytes]) => [hexToBytes(name), bytes] as const));
  return packPreimages({ number, hash: hexToBytes(hash) }, fresh, packing);
}

/** What a block of some hundred transactions writes is in fewer. */
const RECENT_GROUPS = 64;

export function createChainDatabase(
  { path, databaseKey, cacheBytes, durable }: ChainDatabaseOptions,
  { sealer, rules }: { sealer: Sealer; rules: Rules },
): ChainDatabase {
  const keys = createDatabaseKeys(databaseKey);
  const cache = createPreimageCache(cacheBytes);
  const recent = createRecentGroups(RECENT_GROUPS);
  /** How often state was removed: a group that was being read meanwhile may be gone. */
  let removals = 0;
  const level = createSealedLevel({ path, durable }, sealer);
  const places = createStatePlaces(level, { keys, sealer, randomBytes });
  const canonicalHash = (number: bigint): Promise<Hex | undefined> =>
    read(keys.byName('canonical', number.toString()), 'block hash', bytesToHex);
  const read = async <T>(key: Uint8Array, what: string, decode: (value: Uint8Array) => T): Promise<T | undefined> => {
    const value = await level.get(key, what);
    return value && decode(value);
  };

  return {
    async open() {
      await level.open();
      try {
        await claimFormat(level);
      } catch (error) {
        await level.close();
        throw error;
      }
    },
    close: level.close,
    beforeReopen: level.beforeReopen,
    async get(hex) {
      const hash = hexToBytes(hex);
      const near = recent.find(hash);
      if (near !== undefined) return near;
      const before = removals;
      let entry = await level.getPlain(keys.preimage(hash));
      for (;;) {
        if (entry === undefined) return undefined;
        const { key, name } = groupOf(entry, keys);
        const cached = cache.get(name);
        const group = cached ?? (await level.get(key, 'preimage'));
        if (group !== undefined) {
          cache.set(name, group);
          if (removals === before) recent.add(group);
          return findInGroup(group, hash);
        }
        const again = await level.getPlain(keys.preimage(hash));
        // The pruner moves what stays before it removes where it was.
        entry = movedFrom(entry, again);
      }
    },
    heads: () => read(HEADS_KEY, 'set of heads', decodeHeads),
    canonicalHash,
    block: (hash) => read(keys.byHash('block', hash), 'block', (value) => createBlockFromRLP(value, { common: rules })),
    receipts: (hash) => read(keys.byHash('receipts', hash), 'list of receipts', decodeReceipts),
    async transaction(hash) {
      const bytes = await level.getPlain(keys.byHash('transaction', hash));
      const place = bytes && decodePlace(bytes);
      if (place === undefined) return undefined;
      const blockHash = await canonicalHash(place.blockNumber);
      const receipts = blockHash && (await level.get(keys.byHash('receipts', blockHash), 'list of receipts'));
      // A transaction of a block that was removed in this moment is nowhere.
      if (receipts === undefined) return undefined;
      if (receiptHashes(receipts)[place.index] === hash.toLowerCase()) return place;
      throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'transaction place' });
    },
    places: {
      ...places,
      async drop(after, run, limit) {
        const next = await places.drop(after, run, limit);
        removals += 1;
        recent.clear();
        return next;
      },
    },
    record: (name) => level.get(keys.byName('record', name), 'record'),
    async apply(change) {
      const packed = change.block ? packState(change.block, { keys, sealer }) : [];
      await level.write([...packed, ...toOperations(change, keys)]);
    },
  };
}
