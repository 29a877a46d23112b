import { type BlockHeader, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { EVMMockBlockchainInterface } from '@ethereumjs/evm';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { bytesToHex } from './bytes.ts';
import type { Rules } from './rules.ts';
import type { StateByHash } from './state-by-hash.ts';

/** BLOCKHASH sees this many blocks back; the EVM asks for no older one. */
const MAX_DEPTH = 256;

/** Reads the header whose hash is `hash`. Throws ROLLUP_STATE_MISSING. */
export async function readHeader(hash: Hex, state: Pick<StateByHash, 'get'>, rules: Rules): Promise<BlockHeader> {
  const bytes = await state.get(hash);
  if (bytes === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash });
  return createBlockHeaderFromRLP(bytes, { common: rules });
}

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
