/** A PostgreSQL cluster of Debian's package in a folder of its own, with its defaults: fsync and synchronous_commit on. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../test/e2e/workplace.ts';
import { cpuMsOf } from './served-node.ts';

/** PostgreSQL refuses root: then it runs as nobody. */
const NOBODY = 65_534;

export class Postgres {
  readonly #folder: string;
  readonly #bin: string;
  readonly #port: number;
  readonly #as: { uid?: number; gid?: number };
  readonly #server: ChildProcess;

  private constructor(at: { folder: string; bin: string; port: number; as: { uid?: number; gid?: number } }) {
    this.#folder = at.folder;
    this.#bin = at.bin;
    this.#port = at.port;
    this.#as = at.as;
    const data = join(at.folder, 'data');
    this.#server = spawn(join(at.bin, 'postgres'), ['-D', data, '-p', String(at.port), '-k', at.folder], {
      ...at.as,
      cwd: at.folder,
      stdio: 'ignore',
    });
  }

  static async start(port: number): Promise<Postgres> {
    const bin = globSync('/usr/lib/postgresql/*/bin').toSorted().at(-1);
    if (bin === undefined || !existsSync('/usr/bin/pgbench'))
      throw new Error('PostgreSQL is not on this machine: apt-get install postgresql');
    const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    // Of its own: nobody may not enter the folders of others.
    const folder = mkdtempSync(join(tmpdir(), 'nectar-bench-postgres-'));
    if (as.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
    const options = { ...as, cwd: folder, stdio: 'ignore' } as const;
    execFileSync(join(bin, 'initdb'), ['-D', join(folder, 'data'), '-U', 'bench', '-A', 'trust'], options);
    const postgres = new Postgres({ folder, bin, port, as });
    await until('PostgreSQL', () => {
      execFileSync(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], options);
      return true;
    });
    return postgres;
  }

  sql(statements: string): void {
    const args = ['-h', '127.0.0.1', '-p', String(this.#port), '-U', 'bench', '-d', 'postgres', '-q', '-c', statements];
    execFileSync(join(this.#bin, 'psql'), args, { ...this.#as, cwd: this.#folder });
  }

  /** Runs a transaction for some seconds by pgbench, its statements prepared; returns transactions a second. */
  transactions(script: string, run: { clients: number; seconds: number; variables: Record<string, string> }): number {
    const path = join(this.#folder, 'transaction.sql');
    writeFileSync(path, script);
    chmodSync(path, 0o644);
    const variables = Object.entries(run.variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
    const load = ['-n', '-M', 'prepared', '-c', String(run.clients), '-j', '2', '-T', String(run.seconds)];
    const to = ['-h', '127.0.0.1', '-p', String(this.#port), '-U', 'bench', 'postgres'];
    const output = execFileSync('/usr/bin/pgbench', [...load, '-f', path, ...variables, ...to], {
      ...this.#as,
      cwd: this.#folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const tps = /^tps = ([\d.]+)/m.exec(output)?.[1];
    if (tps === undefined) throw new Error(`pgbench said: ${output}`);
    return Number(tps);
  }

  /** Of the server with its background processes, and of the connections that have ended. */
  cpuMs(): number {
    const children = readFileSync(`/proc/${this.#server.pid}/task/${this.#server.pid}/children`, 'utf8').trim();
    const pids = [this.#server.pid, ...children.split(' ')].filter((pid) => pid !== '');
    return pids.reduce<number>((sum, pid) => sum + cpuMsIfThere(Number(pid)), 0);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('close', resolve));
    this.#server.kill('SIGINT');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A worker of autovacuum may end while it is looked at: its time is the server's then. */
function cpuMsIfThere(pid: number): number {
  try {
    return cpuMsOf(pid);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}
