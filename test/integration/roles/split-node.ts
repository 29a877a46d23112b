import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { INSTANCE, issuePair } from '../../compliance/crossing-certificates.ts';
import { freePort, until, Workplace } from '../../e2e/workplace.ts';

export const ROLES = ['audit', 'store', 'rollup', 'gateway'] as const;
export type SplitRole = (typeof ROLES)[number];
const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly bytes: Buffer;
  json<T = Record<string, unknown>>(): T;
}

/** The four roles of one node as four processes over one home, and the owner's HTTPS client. */
export class SplitNode {
  readonly place = new Workplace();
  readonly home = this.place.path('home');
  readonly #processes = new Map<SplitRole, ChildProcess>();
  #pool: Pool | undefined;
  #headers: Record<string, string> = {};
  /** Of the crossings, where they go over TLS. */
  #crossings: Record<string, string> = {};

  async create({ crossings = 'sockets' }: { readonly crossings?: 'sockets' | 'tls' } = {}): Promise<void> {
    if (crossings === 'tls') await this.#prepareTls();
    const ports = ['--port', String(await freePort()), '--p2p-port', String(await freePort())];
    await this.place.json(['init', '--yes', '--home', this.home, ...ports]);
    await this.place.json(['down', '--home', this.home]);
    for (const role of ROLES) this.start(role);
    await this.ready();
    const { gateway } = JSON.parse(readFileSync(join(this.home, 'run', 'node.json'), 'utf8')) as { gateway: string };
    this.#pool = new Pool(gateway, { connect: { ca: readFileSync(join(this.home, 'tls', 'ca.crt'), 'utf8') } });
    this.#headers = { authorization: `Bearer ${readFileSync(join(this.home, 'client', 'token'), 'utf8').trim()}` };
  }

  start(role: SplitRole): void {
    const log = openSync(this.place.path(`${role}.log`), 'a');
    const args = [MAIN, 'run', role, '--home', this.home, '--json'];
    const env = { ...this.place.env, ...this.#crossingsOf(role) };
    this.#processes.set(role, spawn(process.execPath, args, { env, stdio: ['ignore', log, log] }));
  }

  /** A role's three files, as a Secret would bring them. */
  certificates(role: SplitRole): string {
    return this.place.path('crossings', role);
  }

  async #prepareTls(): Promise<void> {
    const ports = { STORE: await freePort(), AUDIT: await freePort(), ROLLUP: await freePort() };
    const addresses = Object.entries(ports).map(([role, port]) => [`NECTAR_CROSSING_${role}`, `127.0.0.1:${port}`]);
    this.#crossings = Object.fromEntries(addresses);
    for (const role of ROLES) await issuePair(this.certificates(role), role);
  }

  #crossingsOf(role: SplitRole): Record<string, string> {
    const own = this.#crossings[`NECTAR_CROSSING_${role.toUpperCase()}`];
    if (Object.keys(this.#crossings).length === 0) return {};
    return {
      ...this.#crossings,
      NECTAR_CROSSINGS: 'tls',
      NECTAR_CROSSING_INSTANCE: INSTANCE,
      NECTAR_CROSSING_TLS: this.certificates(role),
      ...(own !== undefined && { NECTAR_CROSSING_LISTEN: own }),
    };
  }

  pid(role: SplitRole): number {
    return this.#processes.get(role)?.pid ?? 0;
  }

  async end(role: SplitRole, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#processes.get(role);
    this.#processes.delete(role);
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.kill(signal);
    return closed;
  }

  log(role: SplitRole): string {
    return readFileSync(this.place.path(`${role}.log`), 'utf8');
  }

  /** Every role usable, as the gateway sees it. */
  ready(): Promise<true> {
    return until('every role', async () => {
      const { stdout } = await this.place.run(['status', '--home', this.home, '--json']);
      return (stdout !== '' && (JSON.parse(stdout) as { ready: boolean }).ready) || undefined;
    });
  }

  request(
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ) {
    if (this.#pool === undefined) throw new Error('not created');
    const { body, headers, signal } = options;
    return this.#pool.request({
      method,
      path,
      headers: { ...this.#headers, ...headers },
      ...(body !== undefined && { body: body as Buffer }),
      ...(signal && { signal }),
    });
  }

  async call(...args: Parameters<SplitNode['request']>): Promise<Answer> {
    const { statusCode, headers, body } = await this.request(...args);
    const bytes = Buffer.from(await body.arrayBuffer());
    return { status: statusCode, headers, bytes, json: () => JSON.parse(bytes.toString('utf8')) };
  }

  async put(body: unknown): Promise<{ recordId: string; auditLeaf: number }> {
    const headers = { 'content-type': 'application/octet-stream', 'x-nectar-labels': 'split' };
    const answer = await this.call('POST', '/v1/records', { body, headers });
    if (answer.status !== 201) throw new Error(answer.bytes.toString('utf8'));
    return answer.json();
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
    for (const role of ROLES.toReversed()) await this.end(role, 'SIGTERM');
    await this.place.run(['devnet', 'down']);
    this.place.remove();
  }
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
