import { NectarError } from '../../../protocol/errors.ts';
import type { DesiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import { ownedBy } from './owned.ts';
import type { KeptVolume } from './role-table.ts';

export interface LostVolume {
  readonly volume: KeptVolume;
  readonly name: string;
}

/** The volumes of a node that were filled once and are not on the engine any more. */
export async function findLostVolumes(engine: Engine, { nodeId, volumes }: DesiredState): Promise<LostVolume[]> {
  const owned = ownedBy(nodeId, engine);
  const lost: LostVolume[] = [];
  for (const { name, keeps } of volumes) {
    if (keeps !== undefined && !(await owned.volume(name))) lost.push({ volume: keeps, name });
  }
  return lost;
}

/** @throws NectarError VOLUME_MISSING */
export async function requireKeptVolumes(engine: Engine, state: DesiredState): Promise<void> {
  const [lost] = await findLostVolumes(engine, state);
  if (lost !== undefined) throw lostVolume(lost);
}

function lostVolume({ volume, name }: LostVolume): NectarError<'VOLUME_MISSING'> {
  return new NectarError('VOLUME_MISSING', { volume, place: name, loss: 'gone' });
}
