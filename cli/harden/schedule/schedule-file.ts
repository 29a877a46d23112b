import { rm } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Check as matches } from 'typebox/value';
import { replaceFile } from '../../../appliance/durable-file.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { readHomeJson } from '../../life/backup/small-files.ts';
import { hardeningPath, makeHardeningFolder } from '../folder.ts';

const ScheduleFile = Type.Object(
  {
    version: Type.Literal(1),
    nodeId: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    profile: Type.String({ maxLength: 64 }),
    everySeconds: Type.Integer({ minimum: 1 }),
    by: Type.Enum(['systemd', 'crontab', 'hand']),
    since: Type.String({ maxLength: 40 }),
  },
  { additionalProperties: false },
);
/** HOME/hardening/schedule.json: what was scheduled, and by what, so that it can be taken back. */
export type KeptSchedule = Static<typeof ScheduleFile>;

/** Undefined when nothing is scheduled. @throws NectarError HARDENING_SCHEDULE_DAMAGED: runs may go on all the same */
export async function findSchedule(home: string): Promise<KeptSchedule | undefined> {
  const path = schedulePath(home);
  const value = await readHomeJson(path, (reason, cause) => {
    throw new NectarError('HARDENING_SCHEDULE_DAMAGED', { path, reason }, { cause });
  });
  if (value === undefined || matches(ScheduleFile, value)) return value;
  throw new NectarError('HARDENING_SCHEDULE_DAMAGED', { path, reason: 'another shape than this version writes' });
}

export async function keepSchedule(home: string, schedule: KeptSchedule): Promise<void> {
  await makeHardeningFolder(home);
  await replaceFile(schedulePath(home), `${JSON.stringify(schedule, undefined, 2)}\n`, 0o600);
}

export async function forgetSchedule(home: string): Promise<void> {
  await rm(schedulePath(home), { force: true });
}

function schedulePath(home: string): string {
  return hardeningPath(home, 'schedule.json');
}
