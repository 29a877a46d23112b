/**
 * The roles behind sockets against the embedded node, both whole: real processes, the same home, through the gateway's HTTPS.
 * `npm run bench -- sockets`. Sizes by BENCH_SOCKETS_MIB (256), BENCH_SOCKETS_ROUNDS (3), BENCH_SOCKETS_SMALL (1500).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { freePort, until, Workplace } from '../test/e2e/workplace.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = Number(process.env.BENCH_SOCKETS_MIB ?? 256);
const ROUNDS = Number(process.env.BENCH_SOCKETS_ROUNDS ?? 3);
const SMALL = Number(process.env.BENCH_SOCKETS_SMALL ?? 1500);
const SMALL_BYTES = 4096;
const SMALL_CONCURRENCY = 16;
const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const SPLIT = ['audit', 'store', 'rollup', 'gateway'];

type Measure = 'put' | 'get' | 'put-4k' | 'get-4k';
type Speeds = Record<Measure, number[]>;

class Node {
  readonly #processes: ChildProcess[] = [];

  constructor(place: Workplace, home: string, roles: readonly string[]) {
    mkdirSync(place.path('bench-logs'), { recursive: true });
    for (const role of roles) {
      const log = openSync(place.path('bench-logs', `${role}.log`), 'a');
      const child = spawn(process.execPath, [MAIN, 'run', role, '--home', home, '--json'], {
        env: place.env,
        stdio: ['ignore', log, log],
      });
      this.#processes.push(child);
    }
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

/** The owner's side: one TLS client with the node's own CA and token. */
function openClient(home: string): { pool: Pool; headers: Record<string, string> } {
  const { gateway } = JSON.parse(readFileSync(join(home, 'run', 'node.json'), 'utf8')) as { gateway: string };
  const token = readFileSync(join(home, 'client', 'token'), 'utf8').trim();
  const connect = { ca: readFileSync(join(home, 'tls', 'ca.crt'), 'utf8') };
  return {
    pool: new Pool(gateway, { connect, headersTimeout: 0, bodyTimeout: 0 }),
    headers: { authorization: `Bearer ${token}` },
  };
}

type Client = ReturnType<typeof openClient>;

async function put({ pool, headers }: Client, body: AsyncIterable<Uint8Array> | Buffer): Promise<string> {
  const answer = await pool.request({
    path: '/v1/records',
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/octet-stream' },
    body: body as Buffer,
  });
  const receipt = (await answer.body.json()) as { recordId?: string };
  if (receipt.recordId === undefined) throw new Error(JSON.stringify(receipt));
  return receipt.recordId;
}

async function get({ pool, headers }: Client, id: string, bytes: number): Promise<void> {
  const { body } = await pool.request({ path: `/v1/records/${id}`, method: 'GET', headers });
  let count = 0;
  for await (const part of body) count += (part as Buffer).length;
  if (count !== bytes) throw new Error(`short read: ${count}`);
}

async function* large(mib: number): AsyncGenerator<Uint8Array> {
  const piece = randomBytes(MIB);
  for (let i = 0; i < mib; i++) yield piece;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function together(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: SMALL_CONCURRENCY }, worker));
}

async function measure(home: string, speeds: Speeds): Promise<void> {
  const client = openClient(home);
  const ids: string[] = [];
  const small = randomBytes(SMALL_BYTES);
  let id = await put(client, large(32));
  await get(client, id, 32 * MIB);
  const putTime = await seconds(async () => {
    id = await put(client, large(SIZE_MIB));
  });
  speeds.put.push(SIZE_MIB / putTime);
  speeds.get.push(SIZE_MIB / (await seconds(() => get(client, id, SIZE_MIB * MIB))));
  await client.pool.request({ path: `/v1/records/${id}`, method: 'DELETE', headers: client.headers });
  speeds['put-4k'].push(
    SMALL / (await seconds(() => together(SMALL, async (i) => (ids[i] = await put(client, small))))),
  );
  speeds['get-4k'].push(SMALL / (await seconds(() => together(SMALL, (i) => get(client, ids[i] ?? '', SMALL_BYTES)))));
  await client.pool.close();
}

const noSpeeds = (): Speeds => ({ put: [], get: [], 'put-4k': [], 'get-4k': [] });

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(name: Measure, ours: readonly number[], peer: readonly number[]): void {
  const round = (value: number): number => Number(value.toPrecision(3));
  const [a, b] = [median(ours), median(peer)];
  const unit = name.endsWith('4k') ? 'records/s' : 'MiB/s';
  console.log(
    JSON.stringify({
      name: `sockets-${name}`,
      ours: round(a),
      peer: round(b),
      peerName: 'embedded',
      ratio: round(a / b),
      unit,
    }),
  );
}

export async function run(): Promise<void> {
  const place = new Workplace();
  const home = place.path('home');
  const speeds = { split: noSpeeds(), embedded: noSpeeds() };
  try {
    const ports = ['--port', String(await freePort()), '--p2p-port', String(await freePort())];
    await place.json(['init', '--yes', '--home', home, ...ports]);
    await place.json(['down', '--home', home]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [kind, roles] of [
        ['embedded', ['all']],
        ['split', SPLIT],
      ] as const) {
        const node = new Node(place, home, roles);
        try {
          await until(
            'the node',
            async () =>
              (await place.run(['status', '--home', home, '--json'])).stdout.includes('"ready":true') || undefined,
          );
          await measure(home, speeds[kind]);
        } finally {
          await node.stop();
        }
      }
    }
    for (const name of Object.keys(speeds.split) as Measure[]) report(name, speeds.split[name], speeds.embedded[name]);
  } finally {
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
