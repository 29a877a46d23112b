import { createBlockHeader } from '@ethereumjs/block';
import { id } from 'ethers';
import type { BlockRef, Engine, Heads } from '../../../../../appliance/rollup/derive/engine.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { type BlockInput, encodeOrigin } from '../../../../../protocol/rollup/block-input.ts';
import { rules } from '../execute/chain-fixture.ts';

type Input = Omit<BlockInput, 'feeRecipient'>;

interface DoubleBlock extends BlockRef {
  readonly parentHash: Hex;
  readonly input: Input;
}

/** Execution reduced to what derivation sees of it: a block is the hash of its parent and its input. */
export interface ChainDouble extends Engine {
  chain(): readonly Hex[];
  /** As the sequencer or gossip would. */
  announce(input: Input): BlockRef;
  /** The process dies at the n-th write from now; what was written before stays. */
  crashAfter(writes: number): void;
}

export class Crash extends Error {}

export const GENESIS: BlockRef = { number: 0n, hash: id('genesis') as Hex, timestamp: 1_000n };

export function createChainDouble(): ChainDouble {
  let blocks: DoubleBlock[] = [];
  let heads: Heads = { unsafe: GENESIS, safe: GENESIS, finalized: GENESIS };
  const records = new Map<string, Uint8Array>();
  let writesLeft = Number.POSITIVE_INFINITY;

  function write(): void {
    writesLeft -= 1;
    if (writesLeft >= 0) return;
    writesLeft = Number.POSITIVE_INFINITY;
    throw new Crash();
  }

  const at = (number: bigint): DoubleBlock | undefined => blocks[Number(number) - 1];
  const refAt = (number: bigint): BlockRef => {
    const { number: n, hash, timestamp } = number === 0n ? GENESIS : (at(number) as DoubleBlock);
    return { number: n, hash, timestamp };
  };
  const make = (parent: BlockRef, input: Input): DoubleBlock => {
    const text = JSON.stringify([parent.hash, input], (_, value) => (typeof value === 'bigint' ? `${value}` : value));
    const { timestamp } = input;
    return { number: parent.number + 1n, hash: id(text) as Hex, timestamp, parentHash: parent.hash, input };
  };
  /** As much of a header as the next block is judged by. */
  const headerOf = (hash: Hex): Uint8Array => {
    const number = BigInt(blocks.findIndex((block) => block.hash === hash) + 1);
    const read = blocks.slice(0, Number(number)).reduce((sum, { input }) => sum + input.delayedMessages, 0);
    const origin = { number: at(number)?.input.l1Origin.number ?? 0n, delayedMessages: BigInt(read) };
    const { timestamp } = refAt(number);
    const fields = { number, timestamp, gasLimit: 30_000_000n, extraData: encodeOrigin(origin), baseFeePerGas: 7n };
    return createBlockHeader({ ...fields, parentBeaconBlockRoot: new Uint8Array(32) }, { common: rules }).serialize();
  };
  const cap = (ref: BlockRef, limit: BlockRef): BlockRef => (ref.number > limit.number ? limit : ref);

  return {
    chain: () => [GENESIS.hash, ...blocks.map(({ hash }) => hash)],
    crashAfter(writes) {
      writesLeft = writes;
    },
    announce(input) {
      const block = make(heads.unsafe, input);
      blocks.push(block);
      heads = { ...heads, unsafe: block };
      return block;
    },
    heads: () => heads,
    hashOf: async (number) => (number === 0n ? GENESIS.hash : at(number)?.hash),
    header: async (hash) => headerOf(hash),
    originOf: async (number) => at(number)?.input.l1Origin,
    async appendSafe(input) {
      write();
      const block = make(heads.safe, input);
      const known = at(block.number);
      const replaced = known !== undefined && known.hash !== block.hash;
      if (known === undefined || replaced) {
        blocks = [...blocks.slice(0, Number(block.number) - 1), block];
        heads = { ...heads, unsafe: block };
      }
      heads = { ...heads, safe: block };
      return { ref: refAt(block.number), replaced, dropped: [] };
    },
    async setHeads({ safe, finalized }) {
      write();
      const nextSafe = safe === undefined ? heads.safe : refAt(safe);
      const nextFinal = finalized === undefined ? heads.finalized : refAt(finalized);
      heads = { ...heads, safe: nextSafe, finalized: cap(nextFinal, nextSafe) };
    },
    async rewind(number) {
      write();
      blocks = blocks.slice(0, Number(number));
      const head = refAt(number);
      heads = { unsafe: head, safe: cap(heads.safe, head), finalized: cap(heads.finalized, head) };
    },
    record: async (name) => records.get(name),
    async putRecords(entries) {
      write();
      for (const [name, value] of entries) if (value !== undefined) records.set(name, value);
    },
  };
}
