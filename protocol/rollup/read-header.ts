import { type BlockHeader, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import type { Rules } from './rules.ts';

/** Reads the header whose hash is `hash`. Throws ROLLUP_STATE_MISSING. */
export async function readHeader(
  hash: Hex,
  state: { get(hash: Hex): Promise<Uint8Array | undefined> },
  rules: Rules,
): Promise<BlockHeader> {
  const bytes = await state.get(hash);
  if (bytes === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash });
  return createBlockHeaderFromRLP(bytes, { common: rules });
}
