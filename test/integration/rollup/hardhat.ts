import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('../../interop/hardhat', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url));
const run = promisify(execFile);

/** Why Hardhat cannot run here; false where it can: its lock names the native part for this platform only. */
export const noHardhat =
  process.platform === 'linux' && process.arch === 'x64' ? false : 'Hardhat is locked for linux-x64';

/** What test/interop/hardhat/transfer.js prints. */
export interface Seen {
  readonly chainId: number;
  readonly status: number;
  readonly balance: number;
  readonly events: number;
  readonly nonce: number;
  readonly blockNumber: number;
  readonly refused: unknown;
}

/** Hardhat by its own lock, beside the project's packages: it is no part of them. */
async function install(): Promise<string> {
  const lock = await readFile(join(SOURCE, 'package-lock.json'));
  const folder = join(CACHE, `hardhat-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  const isThere = await stat(join(folder, 'done')).catch(() => undefined);
  if (isThere === undefined) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) await cp(join(SOURCE, name), join(folder, name));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    await mkdir(join(folder, 'done'));
  }
  for (const name of ['hardhat.config.js', 'transfer.js']) await cp(join(SOURCE, name), join(folder, name));
  return folder;
}

/** Runs transfer.js as `hardhat run` does for its users. */
export async function runHardhat(settings: {
  readonly rpc: string;
  readonly key: string;
  readonly to: string;
  /** A file with the token's ABI and code. */
  readonly token: string;
}): Promise<Seen> {
  const folder = await install();
  const env = {
    ...process.env,
    CI: '1',
    HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
    NECTAR_RPC: settings.rpc,
    NECTAR_KEY: settings.key,
    NECTAR_TO: settings.to,
    NECTAR_TOKEN: settings.token,
  };
  const program = join(folder, 'node_modules/hardhat/dist/src/cli.js');
  const args = [program, 'run', '--no-compile', 'transfer.js', '--network', 'nectar'];
  const { stdout } = await run(process.execPath, args, { cwd: folder, env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Seen;
}
