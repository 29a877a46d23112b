import { join } from 'node:path';
import { makeFolder, replaceFile } from '../../appliance/durable-file.ts';
import {
  findVolumeLoss,
  findVolumeMarks,
  isMarkedVolume,
  MARK_FILE,
  markStartedEmpty,
} from '../../appliance/volume-marks.ts';
import { NectarError } from '../../protocol/errors.ts';
import { volumeBody } from '../provision/docker/create-body.ts';
import { desiredState, type NodeSpec } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { fillVolume } from '../provision/docker/fill-volumes.ts';
import { findLostVolumes } from '../provision/docker/kept-volumes.ts';
import { objectName, UIDS } from '../provision/docker/role-table.ts';
import type { EmptyVolume } from './empty-volumes.ts';
import { lookIntoVolume, whileDown } from './settle-volume.ts';

export interface StartEmpty {
  readonly home: string;
  readonly volume: EmptyVolume;
  now(): number;
}

/** Argument: a folder. Fails where it holds anything. */
const REQUIRE_EMPTY = `
import { readdirSync } from 'node:fs';
const [folder] = process.argv.slice(1);
const names = readdirSync(folder).filter((name) => !['lock', 'lost+found'].includes(name));
if (names.length > 0) throw new Error('error: it holds ' + names.length + ' files');
`;

/**
 * Says of a lost volume that the node begins without what was in it. The role tells the log so at each of its starts, and the store and
 * the log that are left name what is missing, as after any other loss. A volume that is there is left alone.
 *
 * @throws NectarError CLI_USAGE, NODE_HOME_IN_USE
 */
export async function startEmptyFolder({ home, volume, now }: StartEmpty): Promise<void> {
  if (!isMarkedVolume(volume)) throw notLost(volume);
  await whileDown(home, 'up --start-empty', async () => {
    const folder = join(home, volume);
    const expected = findVolumeMarks(home)?.volumes[volume];
    const loss = expected === undefined ? undefined : findVolumeLoss(folder, expected);
    if (loss === undefined) throw notLost(volume);
    if (loss === 'replaced' || loss === 'unmarked') throw holdsOthers(volume, folder);
    await makeFolder(folder);
    const { text } = await markStartedEmpty(home, { volume, at: new Date(now()).toISOString() });
    await replaceFile(join(folder, MARK_FILE), text, 0o600);
  });
}

/** The same of a node in containers: a volume that is gone is made, one that is there must be empty. */
export async function startEmptyVolume(
  engine: Engine,
  spec: NodeSpec,
  { home, volume, now }: StartEmpty,
): Promise<void> {
  const state = desiredState(spec);
  const name = objectName(spec.nodeId, volume);
  const wanted = state.volumes.find((one) => one.name === name);
  const lost = await findLostVolumes(engine, state);
  if (lost.some((one) => one.volume === volume)) {
    if (wanted !== undefined) await engine.volumes.create(volumeBody(wanted));
  } else if (isMarkedVolume(volume)) {
    const refusal = (source: string): NectarError => holdsOthers(volume, source);
    await lookIntoVolume(engine, spec, { volume, program: REQUIRE_EMPTY, refusal });
  } else throw notLost(volume);
  if (!isMarkedVolume(volume)) return;
  const { text } = await markStartedEmpty(home, { volume, at: new Date(now()).toISOString() });
  const content = Buffer.from(text);
  await fillVolume(engine, spec, { volume, files: [{ path: MARK_FILE, uid: UIDS[volume], mode: 0o600, content }] });
}

function notLost(volume: string): NectarError {
  return new NectarError('CLI_USAGE', { problem: `the ${volume} volume is there: it has no reason to start empty` });
}

function holdsOthers(volume: string, place: string): NectarError {
  return new NectarError('CLI_USAGE', {
    problem: `${place} is not empty, so the ${volume} volume does not start empty: move away first what it holds`,
  });
}
