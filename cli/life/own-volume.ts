import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import {
  findMarkText,
  findVolumeLoss,
  findVolumeMarks,
  MARK_FILE,
  type MarkedVolume,
} from '../../appliance/volume-marks.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { NodeSpec } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { fillVolume } from '../provision/docker/fill-volumes.ts';
import { UIDS } from '../provision/docker/role-table.ts';
import { lookIntoVolume, whileDown } from './settle-volume.ts';

export interface OwnVolume {
  readonly home: string;
  readonly volume: MarkedVolume;
}

/** Argument: a folder. Fails where it is empty, or has a mark that can be read: of this node, or of another volume. */
const REQUIRE_UNMARKED = `
import { readdirSync, readFileSync } from 'node:fs';
const [folder] = process.argv.slice(1);
const names = readdirSync(folder).filter((name) => !['lock', 'lost+found'].includes(name));
if (names.length === 0) throw new Error('error: it is empty');
let mark;
try { mark = JSON.parse(readFileSync(folder + '/volume.json', 'utf8')); } catch {}
if (/^[0-9a-f]{32}$/.test(String(mark?.id))) throw new Error('error: it has a mark');
`;

/**
 * Marks a volume anew whose mark is damaged or gone, by an operator's word that it is the node's own. Nothing else in it is touched. A
 * volume with another one's mark is not taken.
 *
 * @throws NectarError CLI_USAGE, NODE_HOME_IN_USE
 */
export async function ownFolder({ home, volume }: OwnVolume): Promise<void> {
  await whileDown(home, 'up --own-volume', async () => {
    const text = requireMark(home, volume);
    const expected = findVolumeMarks(home)?.volumes[volume];
    const folder = join(home, volume);
    if (expected === undefined || findVolumeLoss(folder, expected) !== 'unmarked') throw notUnmarked(volume, folder);
    await replaceFile(join(folder, MARK_FILE), text, 0o600);
  });
}

/** The same of a node in containers. @throws NectarError CLI_USAGE, VOLUME_MISSING (it is gone) */
export async function ownVolume(engine: Engine, spec: NodeSpec, { home, volume }: OwnVolume): Promise<void> {
  const content = Buffer.from(requireMark(home, volume));
  await lookIntoVolume(engine, spec, {
    volume,
    program: REQUIRE_UNMARKED,
    refusal: (source) => notUnmarked(volume, source),
  });
  await fillVolume(engine, spec, { volume, files: [{ path: MARK_FILE, uid: UIDS[volume], mode: 0o600, content }] });
}

function requireMark(home: string, volume: MarkedVolume): string {
  const text = findMarkText(home, volume);
  if (text !== undefined) return text;
  throw new NectarError('CLI_USAGE', { problem: `the home does not know the ${volume} volume: it needs no mark` });
}

function notUnmarked(volume: string, place: string): NectarError {
  return new NectarError('CLI_USAGE', {
    problem: `${place} is gone, empty, or has a mark that can be read: the ${volume} volume is not marked anew`,
  });
}
