import { statfs } from 'node:fs/promises';
import type { Collector } from './collector.ts';
import type { LifeNotes } from './life-notes.ts';
import { look } from './look.ts';

const DAY_MS = 86_400_000;

const ADDS = [
  'node.lastBackupDays',
  'node.lastScrubDays',
  'node.freeBytes',
  'node.freePercent',
  'node.hardeningScheduled',
  'node.hardeningLastDays',
  'node.reportKeyDays',
] as const;

export interface LifeOptions {
  readonly notes: LifeNotes;
  /** Where its data lies on this machine; undefined where that is another machine's or not to be seen. */
  readonly dataFolder: string | undefined;
  readonly now: () => number;
}

/** What its people did for the node, and the room that it has. */
export function createLifeCollector({ notes, dataFolder, now }: LifeOptions): Collector {
  return {
    name: 'life',
    kinds: [],
    adds: ADDS,
    privilege: 'read access to the notes of the command line, and to the file system of the data',
    async collect(signal) {
      const { createdAt, lastBackupAt, lastScrubAt, hardening, reportKey } = notes;
      const room = () => roomOf(dataFolder);
      const facts = {
        'node.lastBackupDays': await look(signal, () => daysSince(now, lastBackupAt ?? createdAt)),
        'node.lastScrubDays': await look(signal, () => daysSince(now, lastScrubAt ?? createdAt)),
        'node.freeBytes': await look(signal, async () => (await room()).free),
        'node.freePercent': await look(signal, async () => {
          const { free, total } = await room();
          return Math.floor((free * 100) / total);
        }),
        'node.hardeningScheduled': await look(signal, () => hardening.scheduled),
        'node.hardeningLastDays': await look(signal, () => daysSince(now, hardening.lastReportAt ?? createdAt)),
        'node.reportKeyDays': await look(signal, () =>
          reportKey === undefined ? { absent: 'no report was signed yet' } : daysSince(now, reportKey.createdAt),
        ),
      } satisfies Record<(typeof ADDS)[number], unknown>;
      return [{ kind: 'node', name: 'node', facts }];
    },
  };
}

/** Whole days; a time to come, as of a clock that was set back, is none. */
export function daysSince(now: () => number, at: string | undefined): number {
  const time = at === undefined ? Number.NaN : Date.parse(at);
  if (Number.isNaN(time)) throw new Error('nobody knows when that was');
  if (time > now() + DAY_MS) throw new Error(`that was noted for ${at}, which is yet to come`);
  return Math.max(0, Math.floor((now() - time) / DAY_MS));
}

async function roomOf(folder: string | undefined): Promise<{ free: number; total: number }> {
  if (folder === undefined) throw new Error('where the data lies cannot be seen from here');
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, total: Math.max(1, blocks * bsize) };
}
