import { NectarError } from '../../../protocol/errors.ts';
import { FORMAT_KEY, HEADS_KEY } from './database-keys.ts';
import type { SealedLevel } from './sealed-level.ts';

/**
 * Of what lies where in the chain database, and how. One more whenever a database that is there already would be read wrongly: a
 * follower derives the chain again then (`nectar-byon chain rebuild`).
 */
export const DATABASE_FORMAT = 2;
/** What versions wrote before formats had numbers. */
const UNNUMBERED = 0;

/**
 * Before anything else is read: what another version wrote is not taken for damage. A new database gets its number. It lies open,
 * since another format may seal in another way. Throws ROLLUP_DATABASE_FORMAT, ROLLUP_DATABASE_INVALID.
 */
export async function claimFormat(level: Pick<SealedLevel, 'getPlain' | 'write'>): Promise<void> {
  const bytes = await level.getPlain(FORMAT_KEY);
  if (bytes === undefined && (await level.getPlain(HEADS_KEY)) === undefined) {
    const value = Buffer.from(String(DATABASE_FORMAT));
    return level.write([{ type: 'put', key: FORMAT_KEY, value, asIs: true }]);
  }
  const found = bytes === undefined ? UNNUMBERED : parseFormat(bytes);
  if (found !== DATABASE_FORMAT) throw new NectarError('ROLLUP_DATABASE_FORMAT', { found, expected: DATABASE_FORMAT });
}

function parseFormat(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString('latin1');
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'number of its format' });
  return Number(text);
}
