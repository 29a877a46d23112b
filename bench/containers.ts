/**
 * A node in containers: seconds from `init` to ready, memory of each container idle and under load, sizes of the images.
 * `npm run bench -- containers`; it needs an engine, and leaves nothing on it but the images.
 * BENCH_CONTAINERS_SETTLE_S (30) after ready, BENCH_CONTAINERS_IDLE_S (15), BENCH_CONTAINERS_LOAD_S (30).
 *
 * Memory is the cgroup's usage without its inactive file cache, which the kernel may take back at any time: what `docker stats` and
 * `nectar-byon status` show. Where there is no peer to compare with, it is a named limit that a figure is held against.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { type ContainerStatus, containerStatus } from '../cli/provision/docker/container-status.ts';
import { desiredState } from '../cli/provision/docker/desired-state.ts';
import { readDockerNode } from '../cli/provision/docker/node-spec.ts';
import { CONTAINER_ROLES } from '../cli/provision/docker/role-table.ts';
import { renderTable } from '../cli/render/table.ts';
import { hostArchitecture } from '../images/base-lock.ts';
import { layerSizes } from '../images/digest-lock.ts';
import { assembleImages } from '../images/role-image.ts';
import { ROLES } from '../images/role-specs.ts';
import { BASE_LIMIT_BYTES, ROLE_LIMIT_BYTES } from '../images/sizes-doc.ts';
import { freePort } from '../test/e2e/workplace.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages } from '../test/integration/docker/docker-place.ts';

const MIB = 1024 * 1024;
const MEGABYTE = 1_000_000;
/** What an idle node may take of a small server; under load its containers' own limits hold. */
const IDLE_LIMIT_MIB = 512;
const SETTLE_S = Number(process.env.BENCH_CONTAINERS_SETTLE_S ?? 30);
const IDLE_S = Number(process.env.BENCH_CONTAINERS_IDLE_S ?? 15);
const LOAD_S = Number(process.env.BENCH_CONTAINERS_LOAD_S ?? 30);
const SAMPLE_MS = 500;
const LARGE_BYTES = 32 * MIB;
const SMALL_BYTES = 4096;
const WRITERS = 4;

/** MiB of one sample, by role, and of all four together. */
type Sample = Readonly<Record<string, number>>;

class Sampler {
  readonly samples: Sample[] = [];
  readonly #read: () => Promise<ContainerStatus[]>;

  constructor(read: () => Promise<ContainerStatus[]>) {
    this.#read = read;
  }

  async during(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      const found = (await this.#read()).map(({ role, memoryBytes }) => [role, (memoryBytes ?? 0) / MIB] as const);
      this.samples.push({ ...Object.fromEntries(found), all: found.reduce((sum, [, mib]) => sum + mib, 0) });
      await sleep(SAMPLE_MS);
    }
  }

  median(name: string): number {
    const values = this.#of(name).toSorted((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? Number.NaN;
  }

  maximum(name: string): number {
    return Math.max(...this.#of(name));
  }

  #of(name: string): number[] {
    return this.samples.map((sample) => sample[name] ?? 0);
  }
}

function openClient(home: string, gateway: string): { pool: Pool; headers: Record<string, string> } {
  const ca = readFileSync(join(home, 'tls', 'ca.crt'), 'utf8');
  const token = readFileSync(join(home, 'client', 'token'), 'utf8').trim();
  return { pool: new Pool(gateway, { connect: { ca } }), headers: { authorization: `Bearer ${token}` } };
}

/** Puts and gets of one large record and many small ones, by several at once, until the time is over. Returns how many calls. */
async function load({ pool, headers }: ReturnType<typeof openClient>, ms: number): Promise<number> {
  const end = performance.now() + ms;
  let calls = 0;
  const exchange = async (bytes: number): Promise<void> => {
    const body = randomBytes(bytes);
    const type = { 'content-type': 'application/octet-stream' };
    const put = await pool.request({ path: '/v1/records', method: 'POST', headers: { ...headers, ...type }, body });
    const { recordId } = (await put.body.json()) as { recordId?: string };
    if (recordId === undefined) throw new Error(`put refused: ${put.statusCode}`);
    const get = await pool.request({ path: `/v1/records/${recordId}`, method: 'GET', headers });
    let count = 0;
    for await (const part of get.body) count += (part as Buffer).length;
    if (count !== bytes) throw new Error(`short read: ${count} of ${bytes}`);
    calls += 2;
  };
  const writer = async (bytes: number): Promise<void> => {
    while (performance.now() < end) await exchange(bytes);
  };
  await Promise.all([writer(LARGE_BYTES), ...Array.from({ length: WRITERS }, () => writer(SMALL_BYTES))]);
  return calls;
}

interface Figure {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly unit: string;
}

function report(figures: readonly Figure[]): void {
  const round = (value: number): number => Number(value.toPrecision(4));
  for (const { name, ours, peer, peerName, unit } of figures) {
    console.log(
      JSON.stringify({ name, ours: round(ours), peer: round(peer), peerName, ratio: round(ours / peer), unit }),
    );
  }
}

function memoryFigures(containers: readonly ContainerStatus[], idle: Sampler, busy: Sampler): Figure[] {
  const mayUse = containers.reduce((sum, { memoryLimitBytes }) => sum + memoryLimitBytes, 0) / MIB;
  const of = (name: string, ours: number, peer: number): Figure => ({
    ...{ name, ours, peer, unit: 'MiB' },
    peerName: `limit of ${peer} MiB for all four together`,
  });
  return [
    of('containers-idle-all', idle.maximum('all'), IDLE_LIMIT_MIB),
    of('containers-load-all', busy.maximum('all'), mayUse),
  ];
}

function memoryTable(containers: readonly ContainerStatus[], idle: Sampler, busy: Sampler): string {
  const limits = new Map<string, number>(containers.map(({ role, memoryLimitBytes }) => [role, memoryLimitBytes]));
  const cells = (name: string): string[] => [
    name,
    ...[idle.median(name), idle.maximum(name), busy.median(name), busy.maximum(name)].map((mib) => mib.toFixed(0)),
    limits.has(name) ? ((limits.get(name) ?? 0) / MIB).toFixed(0) : '',
  ];
  const title = (text: string) => ({ title: text, alignRight: true });
  return renderTable(
    [
      { title: 'MiB' },
      title('IDLE MEDIAN'),
      title('IDLE MAX'),
      title('LOAD MEDIAN'),
      title('LOAD MAX'),
      title('MAY USE'),
    ],
    [...CONTAINER_ROLES, 'all'].map(cells),
  );
}

async function imageFigures(): Promise<Figure[]> {
  const sizes = layerSizes(await assembleImages(hostArchitecture(), ROLES));
  return sizes.map(({ name, compressedBytes }) => {
    const peer = (name === 'base' ? BASE_LIMIT_BYTES : ROLE_LIMIT_BYTES) / MEGABYTE;
    const ours = compressedBytes / MEGABYTE;
    return { name: `containers-image-${name}`, ours, peer, peerName: `limit of ${peer} MB, compressed`, unit: 'MB' };
  });
}

/** The devnet is up before: what is measured is the node alone, until it is ready and admitted; as containers, and as one process. */
async function timedInits(place: DockerPlace, home: string): Promise<{ gateway: string; figure: Figure }> {
  await place.json(['devnet', 'up']);
  const peerHome = place.path('process');
  const ports = ['--port', String(await freePort()), '--p2p-port', String(await freePort())];
  const peer = await seconds(() => place.json(['init', '--yes', '--home', peerHome, ...ports]));
  await place.json(['down', '--home', peerHome]);
  let gateway = '';
  const ours = await seconds(async () => {
    ({ gateway } = await place.init(home));
  });
  const { ready } = await place.json<{ ready: boolean }>(['status', '--home', home]);
  if (!ready) throw new Error('init returned before the node was ready');
  const peerName = 'init of one process, the same devnet';
  return { gateway, figure: { name: 'containers-init-to-ready', ours, peer, peerName, unit: 's' } };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

export async function run(): Promise<void> {
  loadImages(DOCKER_SOCKET);
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  try {
    const { gateway, figure } = await timedInits(place, home);
    const read = () => containerStatus(place.engine, desiredState(readDockerNode(home).spec));
    const [idle, busy] = [new Sampler(read), new Sampler(read)];
    await sleep(SETTLE_S * 1000);
    await idle.during(IDLE_S * 1000);
    const client = openClient(home, gateway);
    const [calls] = await Promise.all([load(client, LOAD_S * 1000), busy.during(LOAD_S * 1000)]);
    await client.pool.close();
    const containers = await read();
    report([figure, ...memoryFigures(containers, idle, busy), ...(await imageFigures())]);
    console.error(`${memoryTable(containers, idle, busy)}\n${calls} puts and gets in ${LOAD_S} s`);
  } finally {
    await place.close([home]);
  }
}
