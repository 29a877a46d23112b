import type { Block, BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { BlockInput } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Genesis } from '../../../protocol/rollup/genesis.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { createMemoryState } from '../../../protocol/rollup/state-by-hash.ts';
import { type TransitionResult, transition } from '../../../protocol/rollup/transition.ts';
import { inputOfBlock } from '../../../protocol/rollup/unsafe-block.ts';
import type { ChainDatabase } from './chain-database.ts';
import { type BlockRef, type Heads, refOf } from './heads.ts';

/** Values of other parts of the rollup, written in the same atomic batch; undefined deletes. */
export type Records = ReadonlyMap<string, Uint8Array | undefined>;

export interface AppendedBlock {
  readonly ref: BlockRef;
  /** True when the unsafe chain disagreed and was discarded from this block on. */
  readonly replaced: boolean;
  /** Transactions of the batch that the block does not hold. */
  readonly dropped: TransitionResult['dropped'];
}

/** Owns the chain's heads: the only one that executes blocks and writes them. Mutations run one at a time, in call order. */
export interface Executor {
  /** Opens the database, writes the genesis into a new one. Throws ROLLUP_DATABASE_GENESIS_MISMATCH. */
  open(): Promise<void>;
  /** Waits for the mutation in flight and closes the database. */
  close(): Promise<void>;
  heads(): Heads;
  /** Builds the next block on the unsafe head and makes it the new one (sequencer). */
  build(input: BlockInput): Promise<TransitionResult>;
  /** Executes an announced block on the unsafe head. Throws ROLLUP_BLOCK_DETACHED, ROLLUP_BLOCK_MISMATCH. */
  importUnsafe(block: Block): Promise<BlockRef>;
  /** The next block after the safe head, as derived from L1. An unsafe block with the same content is promoted, not executed. */
  appendSafe(input: BlockInput, records?: Records): Promise<AppendedBlock>;
  /** Moves the safe head back (L1 reorganised), or the finalized head forward. The unsafe chain stays until L1 disagrees. */
  setHeads(heads: { safe?: bigint; finalized?: bigint }, records?: Records): Promise<void>;
  /** Discards all blocks above `number`; safe and finalized follow. */
  rewind(number: bigint, records?: Records): Promise<void>;
  record(name: string): Promise<Uint8Array | undefined>;
  putRecords(records: Records): Promise<void>;
  /** Called after every change of the heads, in order. Returns how to stop it. */
  onHeads(listener: (heads: Heads) => void): () => void;
}

export interface ExecutorDeps {
  readonly database: ChainDatabase;
  readonly genesis: Genesis;
  readonly rules: Rules;
}

/** How many blocks one batch of a rewind removes. */
const REWIND_BLOCKS = 256n;

function capped(heads: Heads, limit: BlockRef): Heads {
  const cap = (ref: BlockRef): BlockRef => (ref.number > limit.number ? limit : ref);
  return { unsafe: cap(heads.unsafe), safe: cap(heads.safe), finalized: cap(heads.finalized) };
}

function sameItems(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((item, i) => Buffer.compare(item, b[i] ?? new Uint8Array()) === 0);
}

/** Whether `block` is what `input` gives, told without executing it: when in doubt, false. */
function isBlockOf(input: BlockInput, block: Block, previous: BlockHeader): boolean {
  const held = inputOfBlock(block, previous);
  const sameDeposits =
    held.deposits.length === input.deposits.length &&
    held.deposits.every((deposit, i) => {
      const other = input.deposits[i];
      return (
        deposit.index === other?.index && deposit.to === other.to.toLowerCase() && deposit.amountWei === other.amountWei
      );
    });
  return (
    sameDeposits &&
    held.timestamp === input.timestamp &&
    held.l1Origin.number === input.l1Origin.number &&
    held.l1Origin.hash === input.l1Origin.hash &&
    held.delayedMessages === input.delayedMessages &&
    held.feeRecipient === input.feeRecipient.toLowerCase() &&
    sameItems(held.transactions, input.transactions)
  );
}

export function createExecutor({ database, genesis, rules }: ExecutorDeps): Executor {
  const first = refOf(genesis.header);
  const listeners = new Set<(heads: Heads) => void>();
  let heads: Heads = { unsafe: first, safe: first, finalized: first };
  let tail: Promise<unknown> = Promise.resolve();

  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  };
  const headerOf = async (ref: BlockRef): Promise<BlockHeader> => (await blockAt(ref.number, ref.hash)).header;
  const blockAt = async (number: bigint, known?: Hex): Promise<Block> => {
    const hash = known ?? (await database.canonicalHash(number));
    const block = hash && (await database.block(hash));
    if (!block) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: `chain without block ${number}` });
    return block;
  };
  const settle = (next: Heads): void => {
    heads = next;
    for (const listener of listeners) listener(next);
  };
  const commitBlock = async (
    result: TransitionResult,
    {
      preimages,
      next,
      records,
    }: { preimages: ReadonlyMap<Hex, Uint8Array>; next: (ref: BlockRef) => Heads; records?: Records },
  ): Promise<BlockRef> => {
    const ref = refOf(result.header);
    const after = next(ref);
    const block = { block: result.block, receipts: result.receipts };
    await database.apply({ preimages, block, heads: after, ...(records && { records }) });
    settle(after);
    return ref;
  };
  const run = async (previous: BlockHeader, input: BlockInput) => {
    const state = createMemoryState(database);
    const result = await transition(previous, input, { state, rules });
    return { result, preimages: state.written };
  };

  /** Removes canonical blocks from the top down, in atomic steps that each leave a consistent chain. */
  async function discardAbove(number: bigint, records?: Records): Promise<void> {
    while (heads.unsafe.number > number) {
      const target = heads.unsafe.number - REWIND_BLOCKS > number ? heads.unsafe.number - REWIND_BLOCKS : number;
      const removed: Block[] = [];
      for (let at = heads.unsafe.number; at > target; at -= 1n) removed.push(await blockAt(at));
      const next = capped(heads, refOf((await blockAt(target)).header));
      await database.apply({ removed, heads: next, ...(target === number && records && { records }) });
      settle(next);
    }
  }

  async function appendSafe(input: BlockInput, records?: Records): Promise<AppendedBlock> {
    const previous = await headerOf(heads.safe);
    const known = heads.unsafe.number > heads.safe.number ? await blockAt(heads.safe.number + 1n) : undefined;
    const promote = async (block: Block, dropped: TransitionResult['dropped']): Promise<AppendedBlock> => {
      const ref = refOf(block.header);
      const next = { ...heads, safe: ref };
      await database.apply({ heads: next, ...(records && { records }) });
      settle(next);
      return { ref, replaced: false, dropped };
    };
    if (known !== undefined && isBlockOf(input, known, previous)) return promote(known, []);
    const { result, preimages } = await run(previous, input);
    if (known !== undefined && bytesToHex(known.hash()) === result.hash) return promote(known, result.dropped);
    await discardAbove(heads.safe.number);
    const ref = await commitBlock(result, {
      preimages,
      next: (safe) => ({ ...heads, unsafe: safe, safe }),
      ...(records && { records }),
    });
    return { ref, replaced: known !== undefined, dropped: result.dropped };
  }

  async function importUnsafe(block: Block): Promise<BlockRef> {
    const { number, parentHash } = block.header;
    if (number !== heads.unsafe.number + 1n || bytesToHex(parentHash) !== heads.unsafe.hash) {
      throw new NectarError('ROLLUP_BLOCK_DETACHED', { number, head: heads.unsafe.number });
    }
    const previous = await headerOf(heads.unsafe);
    const { result, preimages } = await run(previous, inputOfBlock(block, previous));
    const expected = bytesToHex(block.hash());
    if (result.hash !== expected) {
      throw new NectarError('ROLLUP_BLOCK_MISMATCH', { number, expected, actual: result.hash });
    }
    return commitBlock(result, { preimages, next: (unsafe) => ({ ...heads, unsafe }) });
  }

  async function setHeads(moved: { safe?: bigint; finalized?: bigint }, records?: Records): Promise<void> {
    const at = async (number: bigint | undefined, now: BlockRef): Promise<BlockRef> =>
      number === undefined || number === now.number ? now : refOf((await blockAt(number)).header);
    const safe = await at(moved.safe, heads.safe);
    const finalized = await at(moved.finalized, heads.finalized);
    const next = { ...heads, safe, finalized: finalized.number > safe.number ? safe : finalized };
    await database.apply({ heads: next, ...(records && { records }) });
    settle(next);
  }

  async function load(): Promise<void> {
    const stored = await database.heads();
    if (stored === undefined) {
      const block = { block: genesis.block, receipts: [] };
      await database.apply({ preimages: genesis.preimages, block, heads });
      return;
    }
    const actual = (await database.canonicalHash(0n)) ?? 'none';
    if (actual !== genesis.hash) {
      throw new NectarError('ROLLUP_DATABASE_GENESIS_MISMATCH', { expected: genesis.hash, actual });
    }
    heads = stored;
  }

  async function open(): Promise<void> {
    await database.open();
    try {
      await load();
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  return {
    open: () => exclusive(open),
    close: () => exclusive(() => database.close()),
    heads: () => heads,
    build: (input) =>
      exclusive(async () => {
        const { result, preimages } = await run(await headerOf(heads.unsafe), input);
        await commitBlock(result, { preimages, next: (unsafe) => ({ ...heads, unsafe }) });
        return result;
      }),
    importUnsafe: (block) => exclusive(() => importUnsafe(block)),
    appendSafe: (input, records) => exclusive(() => appendSafe(input, records)),
    setHeads: (moved, records) => exclusive(() => setHeads(moved, records)),
    rewind: (number, records) => exclusive(() => discardAbove(number, records)),
    record: (name) => database.record(name),
    putRecords: (records) => exclusive(() => database.apply({ records })),
    onHeads(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
