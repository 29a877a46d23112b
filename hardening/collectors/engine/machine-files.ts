import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

const MAX_FILE_BYTES = 4 * 1024 * 1024;

export interface FileState {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Files of the machine that an engine runs on. Undefined: there is none; whatever may not be read is thrown. */
export interface MachineFiles {
  text(path: string): string | undefined;
  state(path: string): FileState | undefined;
  names(path: string): string[];
  link(path: string): string | undefined;
}

/** Of this machine. */
export const machineFiles: MachineFiles = {
  text: (path) =>
    orUndefined(() => {
      const text = readFileSync(path, 'utf8');
      if (text.length > MAX_FILE_BYTES) throw new Error(`${path} is too long`);
      return text;
    }),
  state: (path) =>
    orUndefined(() => {
      const { mode, uid, gid } = statSync(path);
      return { mode: mode & 0o7777, uid, gid };
    }),
  names: (path) => readdirSync(path),
  link: (path) => orUndefined(() => readlinkSync(path)),
};

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
