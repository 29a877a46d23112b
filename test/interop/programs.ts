import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('go', import.meta.url));

/** Why tests that need a program are not run; false where it is there, and with CI=true, where nothing may skip. */
export function unless(program: string, ...versionArgs: string[]): string | false {
  if (process.env.CI === 'true') return false;
  try {
    execFileSync(program, versionArgs, { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} is not on this machine`;
  }
}

/** Runs a program in `cwd`; throws with what it said when it fails. */
export async function said(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const { stdout, stderr } = await run(program, args, { ...options, maxBuffer: 1024 * 1024 });
  return { stdout, stderr };
}

/** The reader in go/, which holds other people's libraries and nothing of ours; built once for the run of a file. */
export class GoReader {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nectar-interop-'));

  async build(): Promise<void> {
    const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    await said('go', ['build', '-o', join(this.#folder, 'reader'), '.'], { cwd: source, env });
  }

  async read<T>(...args: string[]): Promise<T> {
    const { stdout } = await said(join(this.#folder, 'reader'), args);
    return JSON.parse(stdout) as T;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
