import { type Block, createBlockFromRLP } from '@ethereumjs/block';
import { RLP } from '@ethereumjs/rlp';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeReceipts, encodeReceipts, type Receipt } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { createDatabaseKeys, type DatabaseKeys, HEADS_KEY } from './database-keys.ts';
import type { BlockRef, Heads } from './heads.ts';
import { createPreimageCache } from './preimage-cache.ts';
import { createSealedLevel, type SealedLevel, type SealedOperation } from './sealed-level.ts';
import type { Sealer } from './sealer.ts';

/** Where a transaction of the canonical chain is. */
export interface TransactionPlace {
  readonly blockNumber: bigint;
  readonly index: number;
}

/** Everything that one step of the chain changes; written in one atomic batch. */
export interface ChainChange {
  readonly preimages?: ReadonlyMap<Hex, Uint8Array>;
  /** A block that becomes canonical. */
  readonly block?: { readonly block: Block; readonly receipts: readonly Receipt[] };
  /** Blocks that are canonical no more. */
  readonly removed?: readonly Block[];
  readonly heads?: Heads;
  /** Named values of other parts of the rollup that must change together with the heads; undefined deletes. */
  readonly records?: ReadonlyMap<string, Uint8Array | undefined>;
}

/**
 * The sealed chain database: blocks, receipts, state and heads. A kill at any point leaves the state before or after a change.
 * Throws ROLLUP_DATABASE_INVALID (does not authenticate), ROLLUP_DATABASE_FAILED, NODE_DISK_FULL.
 */
export interface ChainDatabase extends Pick<StateByHash, 'get'> {
  open(): Promise<void>;
  close(): Promise<void>;
  beforeReopen: SealedLevel['beforeReopen'];
  heads(): Promise<Heads | undefined>;
  canonicalHash(number: bigint): Promise<Hex | undefined>;
  block(hash: Hex): Promise<Block | undefined>;
  receipts(hash: Hex): Promise<Receipt[] | undefined>;
  transaction(hash: Hex): Promise<TransactionPlace | undefined>;
  record(name: string): Promise<Uint8Array | undefined>;
  apply(change: ChainChange): Promise<void>;
}

export interface ChainDatabaseOptions {
  readonly path: string;
  /** 32 bytes: names of keys are hidden with it; values are sealed by the sealer. */
  readonly databaseKey: Uint8Array;
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

function encodePlace(blockNumber: bigint, index: number): Uint8Array {
  return RLP.encode([blockNumber, index]);
}

function decodePlace(bytes: Uint8Array): TransactionPlace {
  const items = RLP.decode(bytes) as Uint8Array[];
  const [number, index] = items.map((item) => (item.length > 0 ? BigInt(bytesToHex(item)) : 0n));
  return { blockNumber: number ?? 0n, index: Number(index) };
}

function blockOperations(
  { block, receipts }: NonNullable<ChainChange['block']>,
  keys: DatabaseKeys,
): SealedOperation[] {
  const hash = bytesToHex(block.hash());
  const { number } = block.header;
  const places = receipts.map(({ transactionHash }, index) => ({
    type: 'put' as const,
    key: keys.byHash('transaction', transactionHash),
    value: encodePlace(number, index),
  }));
  return [
    { type: 'put', key: keys.byHash('block', hash), value: block.serialize() },
    { type: 'put', key: keys.byHash('receipts', hash), value: encodeReceipts(receipts) },
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
  { preimages, block, removed, heads, records }: ChainChange,
  keys: DatabaseKeys,
): SealedOperation[] {
  const states = Array.from(preimages ?? [], ([hash, value]) => ({
    type: 'put' as const,
    key: keys.byHash('preimage', hash),
    value,
  }));
  const named = Array.from(records ?? [], ([name, value]): SealedOperation => {
    const key = keys.byName('record', name);
    return value === undefined ? { type: 'del', key } : { type: 'put', key, value };
  });
  return [
    // First: a transaction of a removed block may be in the new one again.
    ...(removed ?? []).flatMap((gone) => removeOperations(gone, keys)),
    ...states,
    ...(block ? blockOperations(block, keys) : []),
    ...(heads ? [{ type: 'put' as const, key: HEADS_KEY, value: encodeHeads(heads) }] : []),
    ...named,
  ];
}

export function createChainDatabase(
  { path, databaseKey, cacheBytes, durable }: ChainDatabaseOptions,
  { sealer, rules }: { sealer: Sealer; rules: Rules },
): ChainDatabase {
  const keys = createDatabaseKeys(databaseKey);
  const cache = createPreimageCache(cacheBytes);
  const level = createSealedLevel({ path, durable }, sealer);
  const read = async <T>(key: Uint8Array, what: string, decode: (value: Uint8Array) => T): Promise<T | undefined> => {
    const value = await level.get(key, what);
    return value && decode(value);
  };

  return {
    open: level.open,
    close: level.close,
    beforeReopen: level.beforeReopen,
    async get(hash) {
      const cached = cache.get(hash);
      if (cached !== undefined) return cached;
      const value = await level.get(keys.byHash('preimage', hash), 'preimage');
      if (value !== undefined) cache.set(hash, value);
      return value;
    },
    heads: () => read(HEADS_KEY, 'set of heads', decodeHeads),
    canonicalHash: (number) => read(keys.byName('canonical', number.toString()), 'block hash', bytesToHex),
    block: (hash) => read(keys.byHash('block', hash), 'block', (value) => createBlockFromRLP(value, { common: rules })),
    receipts: (hash) => read(keys.byHash('receipts', hash), 'list of receipts', decodeReceipts),
    transaction: (hash) => read(keys.byHash('transaction', hash), 'transaction place', decodePlace),
    record: (name) => level.get(keys.byName('record', name), 'record'),
    async apply(change) {
      await level.write(toOperations(change, keys));
      for (const [hash, bytes] of change.preimages ?? []) cache.set(hash, bytes);
    },
  };
}
