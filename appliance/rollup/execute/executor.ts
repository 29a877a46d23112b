import type { Block } from '@ethereumjs/block';
import { NectarError } from '../../../protocol/errors.ts';
import type { BlockInput } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Genesis } from '../../../protocol/rollup/genesis.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { inputOfBlock } from '../../../protocol/rollup/unsafe-block.ts';
import type { BlockRunner } from './block-runner.ts';
import type { ChainDatabase } from './chain-database.ts';
import { type ChainTip, createChainTip, type Records } from './chain-tip.ts';
import type { ExecutedBlock } from './executed-block.ts';
import { type BlockRef, type Heads, refOf } from './heads.ts';
import { isBlockOf } from './is-block-of.ts';

export type { Records } from './chain-tip.ts';

export interface AppendedBlock {
  readonly ref: BlockRef;
  /** True when the unsafe chain disagreed and was discarded from this block on. */
  readonly replaced: boolean;
  /** Transactions of the batch that the block does not hold. */
  readonly dropped: ExecutedBlock['dropped'];
}

/** Owns the chain's heads: the only one that executes blocks and writes them. Mutations run one at a time, in call order. */
export interface Executor {
  /** Opens the database, writes the genesis into a new one. Throws ROLLUP_DATABASE_GENESIS_MISMATCH. */
  open(): Promise<void>;
  /** Waits for the mutation in flight and closes the database. */
  close(): Promise<void>;
  heads(): Heads;
  /** Builds the next block on the unsafe head and makes it the new one (sequencer). */
  build(input: BlockInput): Promise<ExecutedBlock>;
  /** Executes an announced block on the unsafe head. Throws ROLLUP_BLOCK_DETACHED, ROLLUP_BLOCK_MISMATCH. */
  importUnsafe(block: Block): Promise<BlockRef>;
  /** The next block after the safe head, as derived from L1. An unsafe block with the same content is promoted, not executed. */
  appendSafe(input: BlockInput, records?: Records): Promise<AppendedBlock>;
  /** Moves the safe head back (L1 reorganised), or the finalized head forward. The unsafe chain stays until L1 disagrees. */
  setHeads(heads: { safe?: bigint; finalized?: bigint }, records?: Records): Promise<void>;
  /** Discards all blocks above `number`; safe and finalized follow. */
  rewind(number: bigint, records?: Records): Promise<void>;
  /** Runs something while nothing else changes the chain. Short: blocks wait for it. */
  whileStill<T>(work: () => Promise<T>): Promise<T>;
  record(name: string): Promise<Uint8Array | undefined>;
  putRecords(records: Records): Promise<void>;
  /** Called after every change of the heads, in order. Returns how to stop it. */
  onHeads(listener: (heads: Heads) => void): () => void;
}

export interface ExecutorDeps {
  readonly database: ChainDatabase;
  readonly genesis: Genesis;
  readonly rules: Rules;
  readonly runner: BlockRunner;
}

/** Marks a known unsafe block as safe. */
async function promote(
  tip: ChainTip,
  block: Block,
  more: { dropped: ExecutedBlock['dropped']; records: Records | undefined },
) {
  const ref = refOf(block.header);
  await tip.move({ safe: ref }, more.records);
  return { ref, replaced: false, dropped: more.dropped };
}

/** What changes the chain: its tip, and what executes blocks. */
interface Chain {
  readonly tip: ChainTip;
  readonly runner: BlockRunner;
}

async function appendSafe(
  { tip, runner }: Chain,
  input: BlockInput,
  records: Records | undefined,
): Promise<AppendedBlock> {
  const { safe, unsafe } = tip.heads();
  const previous = await tip.headerOf(safe);
  const known = unsafe.number > safe.number ? await tip.blockAt(safe.number + 1n) : undefined;
  if (known !== undefined && isBlockOf(input, known, previous)) return promote(tip, known, { dropped: [], records });
  const executed = await runner.run(previous, input);
  const { hash, dropped } = executed;
  if (known !== undefined && bytesToHex(known.hash()) === hash) return promote(tip, known, { dropped, records });
  await tip.discardAbove(safe.number);
  const ref = await tip.append(executed, (head) => ({ unsafe: head, safe: head }), records);
  return { ref, replaced: known !== undefined, dropped };
}

async function importUnsafe({ tip, runner }: Chain, block: Block): Promise<BlockRef> {
  const { number, parentHash } = block.header;
  const { unsafe } = tip.heads();
  if (number !== unsafe.number + 1n || bytesToHex(parentHash) !== unsafe.hash) {
    throw new NectarError('ROLLUP_BLOCK_DETACHED', { number, head: unsafe.number });
  }
  const previous = await tip.headerOf(unsafe);
  const executed = await runner.run(previous, inputOfBlock(block, previous));
  const expected = bytesToHex(block.hash());
  const { hash: actual } = executed;
  if (actual !== expected) throw new NectarError('ROLLUP_BLOCK_MISMATCH', { number, expected, actual });
  return tip.append(executed, (head) => ({ unsafe: head }));
}

async function build({ tip, runner }: Chain, input: BlockInput): Promise<ExecutedBlock> {
  const executed = await runner.run(await tip.headerOf(tip.heads().unsafe), input);
  await tip.append(executed, (head) => ({ unsafe: head }));
  return executed;
}

async function setHeads(tip: ChainTip, moved: { safe?: bigint; finalized?: bigint }, records?: Records): Promise<void> {
  const now = tip.heads();
  const at = async (number: bigint | undefined, ref: BlockRef): Promise<BlockRef> =>
    number === undefined || number === ref.number ? ref : refOf((await tip.blockAt(number)).header);
  const safe = await at(moved.safe, now.safe);
  const finalized = await at(moved.finalized, now.finalized);
  await tip.move({ safe, finalized: finalized.number > safe.number ? safe : finalized }, records);
}

async function open(tip: ChainTip, database: ChainDatabase): Promise<void> {
  await database.open();
  try {
    await tip.load();
  } catch (error) {
    await database.close();
    throw error;
  }
}

export function createExecutor({ database, genesis, rules, runner }: ExecutorDeps): Executor {
  const tip = createChainTip({ database, genesis, rules });
  const chain: Chain = { tip, runner };
  database.beforeReopen(() => runner.release());
  let tail: Promise<unknown> = Promise.resolve();
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  };

  return {
    open: () => exclusive(() => open(tip, database)),
    close: () =>
      exclusive(async () => {
        await runner.release();
        await database.close();
      }),
    heads: tip.heads,
    build: (input) => exclusive(() => build(chain, input)),
    importUnsafe: (block) => exclusive(() => importUnsafe(chain, block)),
    appendSafe: (input, records) => exclusive(() => appendSafe(chain, input, records)),
    setHeads: (moved, records) => exclusive(() => setHeads(tip, moved, records)),
    rewind: (number, records) => exclusive(() => tip.discardAbove(number, records)),
    whileStill: exclusive,
    record: (name) => database.record(name),
    putRecords: (records) => exclusive(() => database.apply({ records })),
    onHeads: tip.onHeads,
  };
}
