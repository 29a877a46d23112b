import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimPortOffset } from './port-slot.ts';

/** What one run of the program left behind. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
  readonly timeoutMs?: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'cli/main.ts');
const RUN_TIMEOUT_MS = 180_000;

/** The error that `--json` prints on stderr. */
export interface JsonError {
  readonly error: { readonly code: string; readonly message: string; readonly data: Record<string, unknown> };
}

/** A folder of its own for one story: homes, devnet, key files; and the program run in it as its user would. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'nectar-e2e-'));
  readonly env: Record<string, string>;

  constructor() {
    this.env = {
      PATH: process.env.PATH ?? '',
      HOME: this.folder,
      XDG_CONFIG_HOME: join(this.folder, 'config'),
      XDG_DATA_HOME: join(this.folder, 'data'),
      NECTAR_DEVNET_HOME: join(this.folder, 'devnet'),
      NO_COLOR: '1',
      // Suites run beside each other, each in a place of its own.
      NECTAR_PORT_OFFSET: String(claimPortOffset()),
    };
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** The program with arguments, for whoever starts it in another way. */
  commandLine(args: readonly string[]): string[] {
    return [process.execPath, main, ...args];
  }

  /** Starts the program without waiting: for what is killed in the middle. */
  spawn(args: readonly string[], options: RunOptions = {}): ChildProcess {
    return spawn(process.execPath, [main, ...args], {
      cwd: this.folder,
      env: { ...this.env, ...options.env },
      stdio: 'pipe',
    });
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    const child = this.spawn(args, options);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? RUN_TIMEOUT_MS);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
      });
    });
  }

  /** Runs with --json, expects success, and returns the one JSON value printed. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    const run = await this.run([...args, '--json'], options);
    if (run.code !== 0)
      throw new Error(`nectar-byon ${args.join(' ')}: exit ${run.code}\n${run.stderr}\n${run.stdout}`);
    return JSON.parse(run.stdout) as T;
  }

  /** Runs with --json, expects success, and returns one value per printed line. */
  async lines<T>(args: readonly string[], options: RunOptions = {}): Promise<T[]> {
    const run = await this.run([...args, '--json'], options);
    if (run.code !== 0)
      throw new Error(`nectar-byon ${args.join(' ')}: exit ${run.code}\n${run.stderr}\n${run.stdout}`);
    return run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T);
  }

  /** Runs with --json, expects an error, and returns it with the exit code. */
  async error(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<{ code: string; exit: number | null; message: string }> {
    const run = await this.run([...args, '--json'], options);
    if (run.code === 0) throw new Error(`nectar-byon ${args.join(' ')} succeeded: ${run.stdout}`);
    const line = run.stderr
      .trim()
      .split('\n')
      .findLast((text) => text.startsWith('{'));
    if (line === undefined) throw new Error(`no JSON error on stderr: ${run.stderr}`);
    const { error } = JSON.parse(line) as JsonError;
    return { code: error.code, exit: run.code, message: error.message };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Polls until `probe` gives a value other than undefined. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 240_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Every file below a folder. */
export function walk(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

/** The files below a folder whose content or path holds any of the needles (as UTF-8 or UTF-16LE bytes). */
export function filesHolding(folder: string, needles: readonly string[]): string[] {
  const bytes = needles.flatMap((needle) => [
    Buffer.from(needle),
    Buffer.from(needle, 'utf16le'),
    Buffer.from(Buffer.from(needle).toString('base64').slice(0, -4)),
  ]);
  return walk(folder).filter((path) => {
    const content = readFileSync(path);
    return needles.some((needle) => path.includes(needle)) || bytes.some((needle) => content.includes(needle));
  });
}

/** The records of the repo, and the full sets beside it where they are. */
export function recordFiles(): string[] {
  const folders = [join(root, 'test/data'), join(root, '../shared/data/fhir'), join(root, '../shared/data/dicom')];
  return folders
    .filter((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true)
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /\.(json|dcm)$/.test(name))
        .map((name) => join(folder, name)),
    );
}
