import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IDENTITIES } from '../../appliance/keys/node-identity.ts';
import { requireVolumes } from '../../appliance/volume-marks.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { guidanceOf } from '../errors/guidance-of.ts';
import type { Check } from '../preflight.ts';

/** Files without which a node that `init` made cannot do all of its work. */
const NEEDED = [
  'config.json',
  'network.json',
  'keys.json',
  'identity/public.json',
  ...Object.values(IDENTITIES).map((name) => `identity/${name}.sealed`),
];

/** A node may start and serve with a file missing that it needs only later: to sign a checkpoint, to join. */
export function checkHomeFiles(home: string): Check {
  const missing = NEEDED.filter((name) => !existsSync(join(home, name)));
  if (missing.length === 0) return { name: 'files', value: 'all there', grade: 'good' };
  return {
    name: 'files',
    value: `missing: ${missing.join(', ')}`,
    grade: 'bad',
    advice: 'put them back from a backup: nectar-byon restore --help',
  };
}

/** The folders that were filled once: a lost one looks like a node that has just begun. */
export function checkVolumesOf(home: string): Check {
  try {
    requireVolumes(home);
    return { name: 'volumes', value: 'all there', grade: 'good' };
  } catch (error) {
    if (!isNectarError(error)) throw error;
    return { name: 'volumes', value: error.message, grade: 'bad', advice: guidanceOf(error.code).remedy };
  }
}
