import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { StateByHash } from '../../../protocol/rollup/state-by-hash.ts';
import { openSharedPreimages, type SharedPreimagesOptions } from '../execute/shared-preimages.ts';

/** The chain's state for an EVM thread. */
export async function openSharedState(options: SharedPreimagesOptions): Promise<Pick<StateByHash, 'get'>> {
  const preimages = await openSharedPreimages(options);
  return { get: async (hash) => preimages.get(hexToBytes(hash)) };
}
