import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until, type Workplace } from '../test/e2e/workplace.ts';

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
/** USER_HZ is 100 everywhere. */
const MS_PER_TICK = 10;

/** What the environment of one role has beside that of all. */
export type EnvOf = (role: string) => Record<string, string>;

/** The processes of one node, each a `run ROLE` of its home. */
export class ServedNode {
  readonly #processes: ChildProcess[] = [];
  readonly #roles: readonly string[];

  constructor(place: Workplace, home: string, roles: readonly string[], envOf: EnvOf = () => ({})) {
    mkdirSync(place.path('bench-logs'), { recursive: true });
    this.#roles = roles;
    const flags = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
    for (const role of roles) {
      const log = openSync(place.path('bench-logs', `${role}.log`), 'a');
      const child = spawn(process.execPath, [...flags, MAIN, 'run', role, '--home', home, '--json'], {
        env: { ...place.env, ...envOf(role) },
        stdio: ['ignore', log, log],
      });
      this.#processes.push(child);
    }
  }

  /** User and system time of its processes so far, in milliseconds. */
  cpuMs(): number {
    return this.#processes.reduce((sum, { pid }) => sum + cpuMsOf(pid ?? 0), 0);
  }

  /** The same, of each role. */
  cpuMsByRole(): Record<string, number> {
    return Object.fromEntries(this.#roles.map((role, at) => [role, cpuMsOf(this.#processes[at]?.pid ?? 0)]));
  }

  /**
   * What a role holds of the memory now, in MiB: all of it, and without what it shares with the kernel's memory of files (the program
   * itself, 57 MiB), which a container's memory does not count.
   */
  memoryMiB(role: string): { readonly all: number; readonly own: number } {
    const { pid } = this.#processes[this.#roles.indexOf(role)] ?? {};
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (name: string): number => {
      const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
      return Math.round(Number(kib) / 1024);
    };
    return { all: read('VmRSS'), own: read('RssAnon') };
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#processes.map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once('close', () => resolve());
            if (child.exitCode !== null) resolve();
            child.kill('SIGTERM');
          }),
      ),
    );
  }
}

/** User and system time of a process so far (proc(5)), with its children that have ended. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * MS_PER_TICK, 0);
}

/** Makes a home with defaults and starts its roles; resolves when the node is ready. */
export async function startNode(
  place: Workplace,
  home: string,
  roles: readonly string[],
  envOf?: EnvOf,
): Promise<ServedNode> {
  const ports = ['--port', String(await freePort()), '--p2p-port', String(await freePort())];
  await place.json(['init', '--yes', '--home', home, ...ports]);
  await place.json(['down', '--home', home]);
  const node = new ServedNode(place, home, roles, envOf);
  await ready(place, home);
  return node;
}

async function ready(place: Workplace, home: string): Promise<void> {
  await until(
    `the node in ${home}`,
    async () => (await place.run(['status', '--home', home, '--json'])).stdout.includes('"ready":true') || undefined,
  );
}

/** What a client of the node needs: the gateway, the home's own CA and token. */
export interface Access {
  readonly gateway: URL;
  readonly ca: string;
  readonly token: string;
}

export function accessOf(home: string): Access {
  const { gateway } = JSON.parse(readFileSync(join(home, 'run', 'node.json'), 'utf8')) as { gateway: string };
  const token = readFileSync(join(home, 'client', 'token'), 'utf8').trim();
  return { gateway: new URL(gateway), ca: readFileSync(join(home, 'tls', 'ca.crt'), 'utf8'), token };
}
