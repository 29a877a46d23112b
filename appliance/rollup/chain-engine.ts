import type { Block } from '@ethereumjs/block';
import { NectarError } from '../../protocol/errors.ts';
import type { BatchBlock } from '../../protocol/rollup/batch.ts';
import { originHash, parseOrigin } from '../../protocol/rollup/block-input.ts';
import { type DelayedMessage, type MessageEffects, ownTransactions } from '../../protocol/rollup/delayed-message.ts';
import { inputOfBlock } from '../../protocol/rollup/unsafe-block.ts';
import type { Engine } from './derive/engine.ts';
import type { UnsafeEngine } from './derive/unsafe-intake.ts';
import type { ChainDatabase } from './execute/chain-database.ts';
import type { Executor } from './execute/executor.ts';

/** Execution in the words of derivation. */
export interface ChainEngine extends Engine, UnsafeEngine {
  blockAt(number: bigint): Promise<Block | undefined>;
  /** A block of the own chain as a batch carries it: without the transactions that L1 forced into it. */
  batchBlockAt(number: bigint): Promise<BatchBlock | undefined>;
}

export interface ChainEngineParts {
  readonly executor: Executor;
  readonly database: ChainDatabase;
  readonly effectsOf: (messages: readonly DelayedMessage[]) => MessageEffects;
}

export function createChainEngine(
  { executor, database, effectsOf }: ChainEngineParts,
  getMessage: (index: bigint) => Promise<DelayedMessage>,
): ChainEngine {
  async function blockAt(number: bigint): Promise<Block | undefined> {
    const hash = await database.canonicalHash(number);
    return hash && database.block(hash);
  }

  return {
    blockAt,
    heads: () => executor.heads(),
    hashOf: (number) => database.canonicalHash(number),
    async header(hash) {
      const header = await database.get(hash);
      if (header === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash });
      return header;
    },
    async originOf(number) {
      const block = await blockAt(number);
      return block && { number: parseOrigin(block.header).number, hash: originHash(block.header) };
    },
    async encodedBlock(hash) {
      return (await database.block(hash))?.serialize();
    },
    appendSafe: (input) => executor.appendSafe(input),
    importUnsafe: (block) => executor.importUnsafe(block),
    setHeads: (heads) => executor.setHeads(heads),
    rewind: (number) => executor.rewind(number),
    record: (name) => executor.record(name),
    putRecords: (records) => executor.putRecords(records),
    async batchBlockAt(number) {
      const [previous, block] = [await blockAt(number - 1n), await blockAt(number)];
      if (previous === undefined || block === undefined) return undefined;
      const input = inputOfBlock(block, previous.header);
      const { delayedMessages: read } = parseOrigin(previous.header);
      const indexes = Array.from({ length: input.delayedMessages }, (_, offset) => read + BigInt(offset));
      const forced = effectsOf(await Promise.all(indexes.map(getMessage))).transactions;
      return { ...input, transactions: ownTransactions(input.transactions, forced) };
    },
  };
}
