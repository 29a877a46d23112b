import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { replaceFile } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { readSmallFile } from '../backup/small-files.ts';
import { isSameProgram } from './running-program.ts';

const path = Type.String({ pattern: '^/', maxLength: 4096 });
const program = {
  version: Type.String({ maxLength: 128 }),
  exec: path,
  entry: path,
  /** Of the home when this program ran it last. */
  format: Type.Integer({ minimum: 1 }),
};
const earlier = Type.Object(program);
/** A version before this one checks no further than the program itself, and drops what is earlier. */
const recordFile = Type.Object({ ...program, before: Type.Optional(earlier) });

/** The program that ran the home before the last upgrade: where to go back to. What runs now the process says, not this file. */
export type FormerProgram = Static<typeof recordFile>;

/** undefined: there was no upgrade, it was undone, or the note is damaged. */
export async function findFormerProgram(home: string): Promise<FormerProgram | undefined> {
  try {
    const bytes = await readSmallFile(recordPath(home));
    const value: unknown = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
    return Value.Check(recordFile, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Before an upgrade. Where to go back to from there is kept too; begun again, an upgrade notes the same. */
export async function noteFormerProgram(home: string, former: FormerProgram): Promise<void> {
  const noted = await findFormerProgram(home);
  const before = noted !== undefined && isSameProgram(noted, former) ? noted.before : noted;
  await writeRecord(home, { ...former, ...(before !== undefined && { before }) });
}

/** Once that program runs again: the next way back is the one that it had. */
export async function leaveFormerProgram(home: string, { before }: FormerProgram): Promise<void> {
  if (before === undefined) await forgetFormerProgram(home);
  else await writeRecord(home, before);
}

async function writeRecord(home: string, { version, exec, entry, format, before }: FormerProgram): Promise<void> {
  const of = (one: Static<typeof earlier>): Static<typeof earlier> => {
    return { version: one.version, exec: one.exec, entry: one.entry, format: one.format };
  };
  const record = { version, exec, entry, format, ...(before !== undefined && { before: of(before) }) };
  await makeFolders(join(home, 'run'), 0o700);
  await replaceFile(recordPath(home), `${JSON.stringify(record)}\n`, 0o600);
}

export async function forgetFormerProgram(home: string): Promise<void> {
  await rm(recordPath(home), { force: true });
}

function recordPath(home: string): string {
  return join(home, 'run', 'upgrade.json');
}
