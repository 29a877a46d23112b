import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRunning, runningPath } from '../../../cli/provision/process/running.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { until, type Workplace } from '../../e2e/workplace.ts';
import { look } from './look.ts';

const DAY_MS = 86_400_000;
/** The p2p listener takes five connections a second of one address, and cuts off the rest. */
const KNOCK_MS = 1_500;

/** More than a start writes into the log. */
const START_LEAVES = 8;
const ANCHOR_MS = 90_000;

/** A node in one process that is made weaker and whole again, one change at a time. */
export class ProcessStack {
  readonly place: Workplace;
  readonly home: string;
  readonly #undo: (() => unknown)[] = [];
  #days = 0;
  #knockAt = 0;

  constructor(place: Workplace, home: string) {
    this.place = place;
    this.home = home;
  }

  /** With all collectors where none is named. */
  async look(collectors?: readonly string[]): Promise<FactSet> {
    if (collectors?.includes('listeners') ?? true) {
      await sleep(Math.max(0, this.#knockAt - Date.now()));
      this.#knockAt = Date.now() + KNOCK_MS;
    }
    const now = (): number => Date.now() + this.#days * DAY_MS;
    return look(this.home, { env: this.place.env, now, ...(collectors !== undefined && { collectors }) });
  }

  path(...parts: string[]): string {
    return join(this.home, ...parts);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  onRestore(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  async restore(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  /** Whoever looks, looks so many days later. */
  later(days: number): void {
    this.#days = days;
    this.onRestore(() => {
      this.#days = 0;
    });
  }

  mode(path: string, mode: number): void {
    const before = lstatSync(path).mode & 0o7777;
    chmodSync(path, mode);
    this.onRestore(() => chmodSync(path, before));
  }

  /** Puts a file, or puts another in its place with the same mode. */
  write(path: string, content: string | Uint8Array): void {
    if (!existsSync(path)) {
      writeFileSync(path, content, { mode: 0o600 });
      this.onRestore(() => rmSync(path, { force: true }));
      return;
    }
    const before = readFileSync(path);
    writeFileSync(path, content);
    this.onRestore(() => writeFileSync(path, before));
  }

  /** Moves a file away, until it is moved back. */
  move(path: string, to: string): void {
    renameSync(path, to);
    this.onRestore(() => {
      rmSync(path, { force: true });
      renameSync(to, path);
    });
  }

  /** An option of config.json, which a running node does not read again. */
  configure(path: string, value: unknown): void {
    const config = JSON.parse(this.read('config.json')) as Record<string, unknown>;
    let at = config;
    const names = path.split('.');
    for (const name of names.slice(0, -1)) {
      at[name] = at[name] ?? {};
      at = at[name] as Record<string, unknown>;
    }
    at[names.at(-1) ?? ''] = value;
    this.write(this.path('config.json'), JSON.stringify(config));
  }

  get pid(): number {
    const running = readRunning(this.home);
    if (running === undefined) throw new Error('the node does not run');
    return running.pid;
  }

  get gateway(): URL {
    return new URL(readRunning(this.home)?.gateway ?? '');
  }

  /** Lets everybody who asks for the node's gateway ask at another port, as it is where a proxy was put in front of it. */
  standInFront(port: number): void {
    const running = JSON.parse(readFileSync(runningPath(this.home), 'utf8')) as object;
    this.write(runningPath(this.home), JSON.stringify({ ...running, gateway: `https://127.0.0.1:${port}` }));
    this.configure('gateway.port', port);
  }

  /** Stops the process until all is put back: it would find the change of a file that it holds within seconds, and mend it or say so. */
  stopTheClock(): void {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    this.onRestore(() => process.kill(pid, 'SIGCONT'));
  }

  /** The soft limit of a resource of the running process. */
  limit(resource: 'core' | 'nofile', value: string): void {
    const about = ['--pid', String(this.pid)];
    const shown = [...about, `--${resource}`, '--raw', '--noheadings', '--output', 'SOFT'];
    const before = execFileSync('prlimit', shown, { encoding: 'utf8' }).trim();
    execFileSync('prlimit', [...about, `--${resource}=${value}:`]);
    this.onRestore(() => execFileSync('prlimit', [...about, `--${resource}=${before}:`]));
  }

  /** Attaches as a debugger does, without stopping it (PTRACE_SEIZE); perl is on every Debian. */
  async trace(): Promise<void> {
    const call = process.arch === 'arm64' ? 117 : 101;
    const script = `syscall(${call}, 0x4206, $ARGV[0] + 0, 0, 0) == 0 or die "ptrace: $!"; $| = 1; print "attached"; sleep 600`;
    const tracer = spawn('perl', ['-e', script, String(this.pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.onRestore(() => tracer.kill('SIGKILL'));
    const [said] = (await once(tracer.stdout, 'data')) as [Buffer];
    if (said.toString() !== 'attached') throw new Error(`the tracer says ${said}`);
  }

  /** Starts the node anew, by hand: with what somebody's shell has, where `up` hands on only what it knows. */
  async restart(env: Record<string, string> = {}): Promise<void> {
    await this.place.json(['down', '--home', this.home]);
    const child = this.place.spawn(['run', 'all', '--home', this.home], { env });
    child.stdout?.resume();
    child.stderr?.resume();
    await this.ready();
  }

  /** Starts the node as its owner does. */
  async startAgain(): Promise<void> {
    await this.#stopped(() => undefined);
    await this.ready();
  }

  /** A copy of the log as it is now, for later. */
  async keepLog(): Promise<void> {
    await this.#stopped(() => cpSync(this.path('audit'), this.place.path('audit'), { recursive: true }));
  }

  /** Puts the copy in the place of the log. */
  async rollBackLog(): Promise<void> {
    const aside = this.place.path('audit.newer');
    await this.place.json(['down', '--home', this.home]);
    renameSync(this.path('audit'), aside);
    cpSync(this.place.path('audit'), this.path('audit'), { recursive: true });
    // Barred by the anchored heads that are kept beside it: alive, and serving nothing private.
    await this.place.error(['up', '--home', this.home]);
    this.onRestore(() =>
      this.#stopped(() => {
        rmSync(this.path('audit'), { recursive: true });
        renameSync(aside, this.path('audit'));
      }),
    );
  }

  async #stopped(change: () => void): Promise<void> {
    await this.place.json(['down', '--home', this.home]);
    change();
    await this.place.json(['up', '--home', this.home]);
  }

  /** Until the chain has more of the log than the copy, and more than a node that starts on the copy adds to it at once. */
  async anchored(): Promise<void> {
    // The log signs a checkpoint when it stops: origin, size, root.
    const kept = Number(readFileSync(this.place.path('audit', 'checkpoint'), 'utf8').split('\n')[1]);
    await until(
      'an anchored log',
      async () => {
        const { completeness } = await this.place.json<{ completeness: string }>([
          'audit',
          'verify',
          '--home',
          this.home,
        ]);
        const status = await this.place.json<{ anchored: { auditSize: number } | null }>([
          'status',
          '--home',
          this.home,
        ]);
        const further = (status.anchored?.auditSize ?? 0) > kept + START_LEAVES;
        return completeness === 'ok' && further ? true : undefined;
      },
      ANCHOR_MS,
    );
  }

  async ready(): Promise<void> {
    await until('a node that is ready', async () => {
      if (readRunning(this.home)?.gateway === undefined) return undefined;
      const { subjects } = await this.look(['node', 'node-status']);
      const seen = subjects.find(({ kind }) => kind === 'node')?.facts['node.ready'];
      return seen !== undefined && 'value' in seen && seen.value === true ? true : undefined;
    });
  }

  /** A token of the node; revoked again. */
  async issue(subject: string, ...options: string[]): Promise<void> {
    const made = await this.place.json<{ id: string }>(['token', 'create', subject, ...options, '--home', this.home]);
    this.onRestore(() => this.place.json(['token', 'revoke', made.id, '--home', this.home]));
  }
}
