import { createHmac } from 'node:crypto';
import { type Block, createBlockFromRLP } from '@ethereumjs/block';
import { RLP } from '@ethereumjs/rlp';
import { ClassicLevel } from 'classic-level';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeReceipts, encodeReceipts, type Receipt } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import type { BlockRef, Heads } from './heads.ts';
import { createPreimageCache } from './preimage-cache.ts';
import type { Sealer } from './sealer.ts';

/** What lies where. A key is the kind's byte and a hash: the preimage's own, or an HMAC of a name. */
const KIND = { preimage: 1, block: 2, receipts: 3, canonical: 4, transaction: 5, heads: 6, record: 7 } as const;
type Kind = keyof typeof KIND;
/** The one name that is not hidden: opened with another key the database must be refused, not taken for a new one. */
const HEADS_KEY = Uint8Array.of(KIND.heads);

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

type Operation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array };

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

/** The storage engine's errors in the node's words. */
async function guard<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof NectarError) throw cause;
    const text = `${cause} ${cause instanceof Error ? cause.cause : ''}`;
    if (/no space left|ENOSPC/i.test(text)) throw new NectarError('NODE_DISK_FULL', { path }, { cause });
    throw new NectarError('ROLLUP_DATABASE_FAILED', { operation }, { cause });
  }
}

export function createChainDatabase(
  { path, databaseKey, cacheBytes, durable }: ChainDatabaseOptions,
  { sealer, rules }: { sealer: Sealer; rules: Rules },
): ChainDatabase {
  const nameKey = createHmac('sha256', databaseKey).update('nectar rollup database names').digest();
  const cache = createPreimageCache(cacheBytes);
  let level = createLevel();
  let broken = false;

  function createLevel(): ClassicLevel<Uint8Array, Uint8Array> {
    return new ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' });
  }
  const hashKey = (kind: Kind, hash: Hex): Uint8Array => Buffer.concat([Uint8Array.of(KIND[kind]), hexToBytes(hash)]);
  const nameKeyOf = (kind: Kind, name: string): Uint8Array => {
    const mac = createHmac('sha256', nameKey).update(`${kind}:${name}`).digest();
    return Buffer.concat([Uint8Array.of(KIND[kind]), mac]);
  };
  const read = (kind: Kind, key: Uint8Array): Promise<Uint8Array | undefined> =>
    guard('read', path, async () => {
      const sealed = await level.get(key);
      if (sealed === undefined) return undefined;
      const value = sealer.open(key, sealed);
      if (value === undefined) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: kind });
      return value;
    });
  const put = (key: Uint8Array, value: Uint8Array): Operation => ({ type: 'put', key, value: sealer.seal(key, value) });

  function blockOperations({ block, receipts }: NonNullable<ChainChange['block']>): Operation[] {
    const hash = bytesToHex(block.hash());
    const { number } = block.header;
    const places = receipts.map(({ transactionHash }, index) => {
      const place = RLP.encode([number, index]);
      return put(hashKey('transaction', transactionHash), place);
    });
    return [
      put(hashKey('block', hash), block.serialize()),
      put(hashKey('receipts', hash), encodeReceipts(receipts)),
      put(nameKeyOf('canonical', number.toString()), hexToBytes(hash)),
      ...places,
    ];
  }

  function removeOperations(block: Block): Operation[] {
    const hashes = block.transactions.map((tx) => hashKey('transaction', bytesToHex(tx.hash())));
    return [nameKeyOf('canonical', block.header.number.toString()), ...hashes].map((key) => ({ type: 'del', key }));
  }

  function recordOperation([name, value]: [string, Uint8Array | undefined]): Operation {
    const key = nameKeyOf('record', name);
    return value === undefined ? { type: 'del', key } : put(key, value);
  }

  /** After a failed write LevelDB refuses all others until it is opened again: a disk that was full must not need a restart. */
  async function reopen(): Promise<void> {
    await level.close();
    level = createLevel();
    await level.open();
    broken = false;
  }

  return {
    open: () => guard('open', path, () => level.open()),
    close: () => guard('close', path, () => level.close()),
    async get(hash) {
      const cached = cache.get(hash);
      if (cached !== undefined) return cached;
      const value = await read('preimage', hashKey('preimage', hash));
      if (value !== undefined) cache.set(hash, value);
      return value;
    },
    async heads() {
      const value = await read('heads', HEADS_KEY);
      return value && decodeHeads(value);
    },
    async canonicalHash(number) {
      const value = await read('canonical', nameKeyOf('canonical', number.toString()));
      return value && bytesToHex(value);
    },
    async block(hash) {
      const value = await read('block', hashKey('block', hash));
      return value && createBlockFromRLP(value, { common: rules });
    },
    async receipts(hash) {
      const value = await read('receipts', hashKey('receipts', hash));
      return value && decodeReceipts(value);
    },
    async transaction(hash) {
      const value = await read('transaction', hashKey('transaction', hash));
      if (value === undefined) return undefined;
      const [number, index] = (RLP.decode(value) as Uint8Array[]).map((item) =>
        item.length ? BigInt(bytesToHex(item)) : 0n,
      );
      return { blockNumber: number ?? 0n, index: Number(index) };
    },
    record: (name) => read('record', nameKeyOf('record', name)),
    async apply({ preimages, block, removed, heads, records }) {
      const operations: Operation[] = [
        ...(removed ?? []).flatMap(removeOperations),
        ...Array.from(preimages ?? [], ([hash, bytes]) => put(hashKey('preimage', hash), bytes)),
        ...(block ? blockOperations(block) : []),
        ...(heads ? [put(HEADS_KEY, encodeHeads(heads))] : []),
        ...Array.from(records ?? [], recordOperation),
      ];
      await guard('write', path, async () => {
        if (broken) await reopen();
        broken = true;
        await level.batch(operations, { sync: durable });
        broken = false;
      });
      for (const [hash, bytes] of preimages ?? []) cache.set(hash, bytes);
    },
  };
}
