/**
 * What a node gains with time: memory, disk and CPU of one that has nothing to do and of one that is used a little (a record put, read
 * and a question to the chain every other second), sampled beside each other on one devnet, and their slopes by the hour. The first
 * third is left out of the slopes: a node that was just started fills its caches. A short run tells little of a small slope: the
 * figures have the length of the run beside them. `npm run bench -- soak --minutes 360`. BENCH_SOAK_SAMPLE_SECONDS (15),
 * BENCH_SOAK_NODES (idle,light): `roles` is an idle node in four roles, whose memory is added up.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { lstat, readdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Workplace } from '../test/e2e/workplace.ts';
import { round } from './figures.ts';
import { KeptConnection } from './kept-connection.ts';
import { type Access, accessOf, type ServedNode, startNode } from './served-node.ts';

const MINUTES = Number(process.env.BENCH_MINUTES ?? 20);
const SAMPLE_MS = 1_000 * Number(process.env.BENCH_SOAK_SAMPLE_SECONDS ?? 15);
const NODES = (process.env.BENCH_SOAK_NODES ?? 'idle,light').split(',');
const ROLES = ['audit', 'store', 'rollup', 'gateway'];
const USE_MS = 2_000;
const RECORD_BYTES = 4_096;
/** Of the samples that a line shows: memory and disk. */
const COURSE_EVERY = 4;
const WARM_SHARE = 1 / 3;
const MS_PER_HOUR = 3_600_000;
const BYTES_PER_BLOCK = 512;
const MIB = 1_048_576;

interface Sample {
  readonly atMs: number;
  readonly cpuMs: number;
  /** Without what is of files. */
  readonly memoryMiB: number;
  readonly diskMiB: number;
}

interface Watched {
  readonly name: string;
  readonly home: string;
  readonly node: ServedNode;
  readonly samples: Sample[];
}

/** What the disk holds of a folder. Files may come and go meanwhile. */
async function diskMiB(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const found = await lstat(join(folder, name)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * BYTES_PER_BLOCK;
  }
  return bytes / MIB;
}

/** By least squares, in units an hour. */
function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ atMs }) => atMs)), mean(samples.map(of))];
  const covariance = samples.reduce((sum, sample) => sum + (sample.atMs - x) * (of(sample) - y), 0);
  const variance = samples.reduce((sum, { atMs }) => sum + (atMs - x) ** 2, 0);
  return (covariance / variance) * MS_PER_HOUR;
}

const rolesOf = (name: string): readonly string[] => (name === 'roles' ? ROLES : ['all']);

async function sample({ name, home, node, samples }: Watched): Promise<void> {
  const memoryMiB = rolesOf(name).reduce((sum, role) => sum + node.memoryMiB(role).own, 0);
  samples.push({ atMs: performance.now(), cpuMs: node.cpuMs(), memoryMiB, diskMiB: await diskMiB(home) });
}

/** Until it is told to end; resolves with the number of puts. */
async function use(access: Access, signal: AbortSignal): Promise<number> {
  let puts = 0;
  while (!signal.aborted) {
    // The gateway closes connections after a while: each turn has its own.
    const connection = await KeptConnection.open(access);
    const { status, body } = await connection.send('POST', '/v1/records', randomBytes(RECORD_BYTES), {});
    if (status !== 201) throw new Error(`put: ${status} ${body.slice(0, 300)}`);
    const { recordId } = JSON.parse(body) as { recordId: string };
    const got = await connection.send('GET', `/v1/records/${recordId}`);
    if (got.status !== 200) throw new Error(`get: ${got.status}`);
    const question = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }));
    await connection.send('POST', '/rpc', question, { type: 'application/json' });
    connection.close();
    puts += 1;
    await delay(USE_MS, undefined, { signal }).catch(() => {});
  }
  return puts;
}

/** No puts. */
async function untilAborted(signal: AbortSignal): Promise<number> {
  await once(signal, 'abort');
  return 0;
}

function print({ name, samples }: Watched, puts: number): void {
  const settled = samples.slice(Math.floor(samples.length * WARM_SHARE));
  const [first, last] = [settled.at(0), settled.at(-1)];
  if (first === undefined || last === undefined || first === last) throw new RangeError('too short for two samples');
  const cpuPercent = (100 * (last.cpuMs - first.cpuMs)) / (last.atMs - first.atMs);
  const line = {
    name: `soak-${name}`,
    ours: round(slope(settled, ({ memoryMiB }) => memoryMiB)),
    unit: 'MiB of memory an hour',
    diskMiBAnHour: round(slope(settled, (each) => each.diskMiB)),
    cpuPercent: round(cpuPercent),
    memoryMiB: [first.memoryMiB, last.memoryMiB],
    mostMemoryMiB: Math.max(...samples.map(({ memoryMiB }) => memoryMiB)),
    diskMiB: [round(first.diskMiB), round(last.diskMiB)],
    course: samples.filter((_, at) => at % COURSE_EVERY === 0).map((each) => [each.memoryMiB, round(each.diskMiB)]),
    ...(puts > 0 && { puts }),
    minutes: MINUTES,
    samples: samples.length,
    load: round(loadavg()[0] ?? 0),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Prints a JSON line for each node. */
export async function run(): Promise<void> {
  const place = new Workplace();
  const watched: Watched[] = [];
  const ending = new AbortController();
  try {
    for (const name of NODES) {
      const home = place.path(name);
      watched.push({ name, home, node: await startNode(place, home, rolesOf(name)), samples: [] });
    }
    const using = NODES.includes('light')
      ? use(accessOf(place.path('light')), ending.signal)
      : untilAborted(ending.signal);
    using.catch(() => {});
    const end = performance.now() + MINUTES * 60_000;
    while (performance.now() < end) {
      await Promise.all(watched.map(sample));
      await Promise.race([delay(SAMPLE_MS), using]);
    }
    ending.abort();
    const puts = await using;
    for (const each of watched) print(each, each.name === 'light' ? puts : 0);
  } finally {
    ending.abort();
    for (const { node } of watched) await node.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
