import { join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import type { PublicIdentity } from '../config/index.ts';
import { findMark, type Mark, newMark, writeMark } from '../volume-marks.ts';

/** In the store's volume, beside the keys. */
const FILE = 'audit-volume.json';

/**
 * What the store of a cluster remembers of the log's volume. The claim of a StatefulSet that was deleted is made anew, empty, and an
 * empty log would begin again under the same keys: other leaves, signed, under numbers that are out in the world. So a log that says it
 * belongs to nobody is taken for a new one only once.
 */
export interface LogVolume {
  /** @throws NectarError VOLUME_MISSING, VOLUME_MARKS_INVALID: the log gets no keys */
  require(known: PublicIdentity | null): Promise<void>;
  /** From now on an empty one is a lost one. */
  begun(): Promise<void>;
  /** Whether it began without what was in it, because an operator said so. */
  startedEmpty(): { readonly startedEmpty?: string };
}

export interface LogVolumeOptions {
  readonly folder: string;
  /** NECTAR_START_EMPTY: `audit:MARK`, good for the loss of the volume of that mark alone. */
  readonly accepted: string;
  now(): number;
}

export function createLogVolume({ folder, accepted, now }: LogVolumeOptions): LogVolume {
  const path = join(folder, FILE);
  const find = (): Mark | undefined => findMark(path);
  /** Accepted by this process: the log has still to take it. */
  let pending: string | undefined;
  return {
    async require(known) {
      const mark = find();
      if (known !== null || mark === undefined || mark.id === pending) return;
      if (accepted !== `audit:${mark.id}`)
        throw new NectarError('VOLUME_MISSING', {
          volume: 'audit',
          place: `the volume with the mark ${mark.id}`,
          loss: 'empty',
        });
      const next = { ...newMark(), emptiedAt: new Date(now()).toISOString() };
      await writeMark(folder, next, FILE);
      pending = next.id;
    },
    async begun() {
      if (find() === undefined) await writeMark(folder, newMark(), FILE);
    },
    startedEmpty() {
      const at = find()?.emptiedAt;
      return at === undefined ? {} : { startedEmpty: `audit ${at}` };
    },
  };
}
