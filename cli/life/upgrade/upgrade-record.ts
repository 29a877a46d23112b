import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { replaceFile } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { readSmallFile } from '../backup/small-files.ts';

const path = Type.String({ pattern: '^/', maxLength: 4096 });
const recordFile = Type.Object({
  version: Type.String({ maxLength: 128 }),
  exec: path,
  entry: path,
  /** Of the home when this program ran it last. */
  format: Type.Integer({ minimum: 1 }),
});

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

export async function noteFormerProgram(home: string, former: FormerProgram): Promise<void> {
  await makeFolders(join(home, 'run'), 0o700);
  await replaceFile(recordPath(home), `${JSON.stringify(former)}\n`, 0o600);
}

export async function forgetFormerProgram(home: string): Promise<void> {
  await rm(recordPath(home), { force: true });
}

function recordPath(home: string): string {
  return join(home, 'run', 'upgrade.json');
}
