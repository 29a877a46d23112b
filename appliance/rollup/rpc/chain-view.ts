import { type Block, type BlockHeader, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Receipt } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Heads } from '../execute/heads.ts';
import type { BlockSelector } from './params.ts';
import { RPC_CODE, RpcError } from './rpc-error.ts';

/** The canonical chain as the RPC shows it. */
export interface ChainView {
  /** Undefined when there is no such canonical block. */
  findBlock(selector: BlockSelector): Promise<Block | undefined>;
  /** The header alone of a canonical block: for looking through many. */
  findHeader(number: bigint): Promise<BlockHeader | undefined>;
  /** As findBlock, but throws `header not found` as other nodes do. */
  getHeader(selector: BlockSelector): Promise<BlockHeader>;
  /** As getHeader, of a block whose state is here; throws which state is. */
  getStateHeader(selector: BlockSelector): Promise<BlockHeader>;
  /** The block number that a selector means, without asking whether it exists. */
  numberOf(selector: BlockSelector): Promise<bigint>;
  receipts(of: BlockHeader): Promise<Receipt[]>;
  hashOf(header: BlockHeader): Hex;
  latest(): bigint;
}

export interface ChainViewDeps {
  readonly database: ChainDatabase;
  readonly rules: Rules;
  readonly heads: () => Heads;
  /** The first block whose state is here; absent: the genesis. */
  readonly stateFrom?: () => bigint;
}

export function createChainView({ database, rules, heads, stateFrom = () => 0n }: ChainViewDeps): ChainView {
  const tagged = (tag: string): bigint => {
    const { unsafe, safe, finalized } = heads();
    if (tag === 'earliest') return 0n;
    if (tag === 'safe') return safe.number;
    return tag === 'finalized' ? finalized.number : unsafe.number;
  };
  const byHash = async (hash: Hex): Promise<Block | undefined> => {
    const block = await database.block(hash);
    // Blocks that L1 contradicted stay in the database: they are no part of the chain.
    const isCanonical = block && (await database.canonicalHash(block.header.number)) === hash;
    return isCanonical ? block : undefined;
  };
  const byNumber = async (number: bigint): Promise<Block | undefined> => {
    const hash = await database.canonicalHash(number);
    return hash && database.block(hash);
  };
  const findBlock = (selector: BlockSelector): Promise<Block | undefined> => {
    if ('hash' in selector) return byHash(selector.hash);
    return byNumber('tag' in selector ? tagged(selector.tag) : selector.number);
  };
  const getBlock = async (selector: BlockSelector): Promise<Block> => {
    const block = await findBlock(selector);
    if (block === undefined) throw new RpcError(RPC_CODE.server, 'header not found');
    return block;
  };
  return {
    findBlock,
    async findHeader(number) {
      const hash = await database.canonicalHash(number);
      const kept = hash && (await database.get(hash));
      if (kept !== undefined) return createBlockHeaderFromRLP(kept, { common: rules });
      // Of a pruned block its body alone is here.
      return hash && (await database.block(hash))?.header;
    },
    getHeader: async (selector) => (await getBlock(selector)).header,
    async getStateHeader(selector) {
      const { header } = await getBlock(selector);
      const from = stateFrom();
      if (header.number >= from) return header;
      const reason = `state of block ${header.number} is not available: this node has it from block ${from} on`;
      throw new RpcError(RPC_CODE.server, reason, { stateFrom: `0x${from.toString(16)}` });
    },
    async numberOf(selector) {
      if ('tag' in selector) return tagged(selector.tag);
      return 'number' in selector ? selector.number : (await getBlock(selector)).header.number;
    },
    receipts: async (header) => (await database.receipts(bytesToHex(header.hash()))) ?? [],
    hashOf: (header) => bytesToHex(header.hash()),
    latest: () => heads().unsafe.number,
  };
}
