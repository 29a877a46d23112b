import type { BlockHeader } from '@ethereumjs/block';
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import { readHeader } from '../../protocol/rollup/read-header.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { StateByHash } from './state-by-hash.ts';

/** BLOCKHASH sees this many blocks back; the EVM asks for no older one. */
const MAX_DEPTH = 256;

/** Answers the EVM's BLOCKHASH by following parent hashes, so that only the chain that is built upon can be seen. */
export function createAncestors(previous: BlockHeader, state: StateByHash, rules: Rules): EVMMockBlockchainInterface {
  const chain = [previous];
  const ancestors: EVMMockBlockchainInterface = {
    async getBlock(number) {
      const depth = Number(previous.number) - number;
      if (depth < 0 || depth >= MAX_DEPTH) throw new RangeError('block out of reach of BLOCKHASH');
      for (let last = chain.at(-1); last !== undefined && chain.length <= depth; last = chain.at(-1)) {
        chain.push(await readHeader(bytesToHex(last.parentHash), state, rules));
      }
      const found = chain[depth] ?? previous;
      return { hash: () => found.hash() };
    },
    putBlock: async () => {},
    shallowCopy: () => ancestors,
  };
  return ancestors;
}
