import type { Block, BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Genesis } from '../../../protocol/rollup/genesis.ts';
import { readHeader } from '../../../protocol/rollup/read-header.ts';
import { encodeReceipts } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { ChainChange, ChainDatabase, WrittenBlock } from './chain-database.ts';
import type { ExecutedBlock } from './executed-block.ts';
import { type BlockRef, type Heads, refOf } from './heads.ts';

/** How many blocks one atomic step of a rewind removes. */
const REWIND_BLOCKS = 256n;

/** Values of other parts of the rollup, written in the same atomic batch; undefined deletes. */
export type Records = ReadonlyMap<string, Uint8Array | undefined>;

/** The heads, in memory and on disk in step: nothing is told to anyone before it is written. */
export interface ChainTip {
  heads(): Heads;
  /** Takes the heads from the database, or writes the genesis into an empty one. Throws ROLLUP_DATABASE_GENESIS_MISMATCH. */
  load(): Promise<void>;
  /** A canonical block. Throws ROLLUP_DATABASE_INVALID when it is not there. */
  blockAt(number: bigint): Promise<Block>;
  headerOf(ref: BlockRef): Promise<BlockHeader>;
  /** Writes an executed block and the heads that follow from it. */
  append(executed: ExecutedBlock, next: (ref: BlockRef) => Partial<Heads>, records?: Records): Promise<BlockRef>;
  /** Moves heads only. */
  move(heads: Partial<Heads>, records?: Records): Promise<void>;
  /** Removes canonical blocks from the top down, in atomic steps that each leave a consistent chain. */
  discardAbove(number: bigint, records?: Records): Promise<void>;
  onHeads(listener: (heads: Heads) => void): () => void;
}

function capped(heads: Heads, limit: BlockRef): Heads {
  const cap = (ref: BlockRef): BlockRef => (ref.number > limit.number ? limit : ref);
  return { unsafe: cap(heads.unsafe), safe: cap(heads.safe), finalized: cap(heads.finalized) };
}

async function getBlock(database: ChainDatabase, number: bigint, hash: Hex | undefined): Promise<Block> {
  const block = hash && (await database.block(hash));
  if (!block) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: `chain without block ${number}` });
  return block;
}

function genesisBlock({ hash, block }: Genesis): WrittenBlock {
  const receiptBytes = encodeReceipts([]);
  return { hash, number: 0n, blockBytes: block.serialize(), receiptBytes, transactionHashes: [] };
}

async function checkGenesis(database: ChainDatabase, expected: Hex): Promise<void> {
  const actual = (await database.canonicalHash(0n)) ?? 'none';
  if (actual !== expected) throw new NectarError('ROLLUP_DATABASE_GENESIS_MISMATCH', { expected, actual });
}

export function createChainTip({
  database,
  genesis,
  rules,
}: {
  database: ChainDatabase;
  genesis: Genesis;
  rules: Rules;
}): ChainTip {
  const first = refOf(genesis.header);
  const listeners = new Set<(heads: Heads) => void>();
  let heads: Heads = { unsafe: first, safe: first, finalized: first };

  const blockAt = async (number: bigint): Promise<Block> =>
    getBlock(database, number, await database.canonicalHash(number));
  const write = async (next: Heads, change: ChainChange, records?: Records): Promise<void> => {
    await database.apply({ ...change, heads: next, ...(records && { records }) });
    heads = next;
    for (const listener of listeners) listener(next);
  };

  return {
    heads: () => heads,
    blockAt,
    async load() {
      const stored = await database.heads();
      if (stored === undefined) {
        return write(heads, { block: { ...genesisBlock(genesis), preimages: genesis.preimages } });
      }
      await checkGenesis(database, genesis.hash);
      heads = stored;
    },
    headerOf: ({ hash }) => readHeader(hash, database, rules),
    async append(executed, next, records) {
      const ref = refOf(executed.header);
      const { operations, hash, blockBytes, receiptBytes, transactionHashes } = executed;
      const block = { hash, number: ref.number, blockBytes, receiptBytes, transactionHashes };
      await write({ ...heads, ...next(ref) }, { operations, block }, records);
      return ref;
    },
    move: (moved, records) => write({ ...heads, ...moved }, {}, records),
    async discardAbove(number, records) {
      if (records && heads.unsafe.number <= number) return write(heads, {}, records);
      while (heads.unsafe.number > number) {
        const top = heads.unsafe.number;
        const target = top - REWIND_BLOCKS > number ? top - REWIND_BLOCKS : number;
        const removed: Block[] = [];
        for (let at = top; at > target; at -= 1n) removed.push(await blockAt(at));
        const next = capped(heads, refOf((await blockAt(target)).header));
        await write(next, { removed }, target === number ? records : undefined);
      }
    },
    onHeads(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
