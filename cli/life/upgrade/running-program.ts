import { readFileSync, readlinkSync } from 'node:fs';
import { ENTRY } from '../../entry.ts';
import { readRunning } from '../../provision/process/running.ts';
import { VERSION } from '../../version.ts';

/** One installation of this program: the Node that runs it, and the file that starts it. */
export interface Program {
  readonly exec: string;
  readonly entry: string;
}

/** The one that this command is of. */
export const OWN_PROGRAM: Program & { readonly version: string } = {
  exec: process.execPath,
  entry: ENTRY,
  version: VERSION,
};

export function isSameProgram(a: Program, b: Program): boolean {
  return a.entry === b.entry;
}

/** The program of the process that runs a home, by the process itself (proc(5)); undefined: none runs, or it cannot be seen. */
export function findRunningProgram(home: string): Program | undefined {
  const pid = readRunning(home)?.pid;
  if (pid === undefined) return undefined;
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const entry = words[words.indexOf('run') - 1];
    const exec = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
    return entry === undefined ? undefined : { exec, entry };
  } catch {
    return undefined;
  }
}
