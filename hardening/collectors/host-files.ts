import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_FILE_BYTES = 1024 * 1024;
const RUN_TIMEOUT_MS = 10_000;

/** What looking at the machine needs: its files, and what a few programs of its own say. */
export interface HostFiles {
  /** Undefined where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Names in a folder; undefined where there is none. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** `MAJOR:MINOR` of the file system on which it lies, or of the device that it is. */
  device(path: string, of: 'place' | 'device'): Promise<string>;
  /** What a program prints; undefined where it is not installed. Throws when it does not end well. */
  run(program: string, args: readonly string[], signal: AbortSignal): Promise<string | undefined>;
}

/** Files of this machine below `root`, which only a test has elsewhere. */
export function openHostFiles(root = '/'): HostFiles {
  return {
    async read(path) {
      return unlessMissing(async () => (await readFile(join(root, path))).subarray(0, MAX_FILE_BYTES));
    },
    async list(path) {
      return unlessMissing(() => readdir(join(root, path)));
    },
    async device(path, of) {
      const { dev, rdev } = await stat(join(root, path));
      return deviceText(of === 'place' ? dev : rdev);
    },
    run: (program, args, signal) =>
      new Promise((resolve, reject) => {
        const options = { signal, timeout: RUN_TIMEOUT_MS, maxBuffer: MAX_FILE_BYTES, env: { LC_ALL: 'C', PATH } };
        execFile(program, [...args], options, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else if (error.code === 'ENOENT') resolve(undefined);
          else reject(new Error(`${program}: ${(stderr || error.message).trim().split('\n')[0]}`));
        });
      }),
  };
}

/** Where the programs of an administrator are; what the caller's own PATH leads to is not asked. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** As Linux packs it into 64 bits (gnu_dev_major, gnu_dev_minor). */
function deviceText(device: number): string {
  const value = BigInt(device);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
