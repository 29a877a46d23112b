/**
 * The roles behind sockets against the embedded node, and the roles over TLS against those behind sockets: real processes, each node whole with a home of its own on one devnet and
 * one file system, through the gateway's HTTPS, by one client. All nodes are up all the time and are asked in turns, forth and
 * back, so that whatever else the machine does meets both; the ratio is the median of the turns'. `cpu` is what
 * the processes of each node took of the processor for one unit: with two cores it says more than a noisy clock.
 * `npm run bench -- sockets`. Sizes by BENCH_SOCKETS_MIB (256), BENCH_SOCKETS_ROUNDS (7), BENCH_SOCKETS_SMALL (1500).
 */
import { randomBytes } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { Pool } from 'undici';
import { issueCrossings } from '../cli/provision/crossings/crossings-folder.ts';
import { freePort, Workplace } from '../test/e2e/workplace.ts';
import { MIB, median, printTurns, round, seconds } from './figures.ts';
import { accessOf, type EnvOf, type ServedNode, startNode } from './served-node.ts';

const SIZE_MIB = Number(process.env.BENCH_SOCKETS_MIB ?? 256);
const ROUNDS = Number(process.env.BENCH_SOCKETS_ROUNDS ?? 7);
const SMALL = Number(process.env.BENCH_SOCKETS_SMALL ?? 1500);
const SMALL_BYTES = 4096;
const SMALL_CONCURRENCY = 16;
const READ_BYTES = 256 * 1024;
const SPLIT = ['audit', 'store', 'rollup', 'gateway'] as const;
const KINDS = ['embedded', 'split', 'tls'] as const;
const WARM_UP_MIB = 64;
/** Until V8 has optimised what every request runs, in each process. */
const WARM_UP_SMALL = 2000;

type Kind = (typeof KINDS)[number];
const MEASURES = ['put', 'get', 'put-4k', 'get-4k'] as const;
type Measure = (typeof MEASURES)[number];

/** The owner's side: one TLS client with the node's own CA and token. */
function openClient(home: string): { pool: Pool; headers: Record<string, string>; gateway: URL; ca: string } {
  const { gateway, ca, token } = accessOf(home);
  return {
    pool: new Pool(gateway.origin, { connect: { ca }, headersTimeout: 0, bodyTimeout: 0 }),
    headers: { authorization: `Bearer ${token}` },
    gateway,
    ca,
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

/**
 * Reads a large record into one buffer and counts it: what the client takes of the cores that it shares with the node, four
 * processes lack more than one does.
 */
async function download({ gateway, ca, headers }: Client, id: string, bytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let [count, headBytes] = [0, -1];
  const buffer = Buffer.alloc(READ_BYTES);
  const onread = {
    buffer,
    callback(size: number): boolean {
      if (headBytes < 0) headBytes = buffer.indexOf('\r\n\r\n') + 4;
      count += size;
      return true;
    },
  };
  const options = { host: gateway.hostname, port: Number(gateway.port), ca, onread };
  const socket = connectTls(options);
  socket.on('error', reject).on('close', () => resolve(count - headBytes));
  const head = [`GET /v1/records/${id} HTTP/1.1`, `host: ${gateway.host}`, `authorization: ${headers.authorization}`];
  socket.write([...head, 'connection: close', '', ''].join('\r\n'));
  const found = await promise;
  if (found !== bytes) throw new Error(`short read: ${found}`);
}

async function* large(mib: number): AsyncGenerator<Uint8Array> {
  const piece = randomBytes(MIB);
  for (let i = 0; i < mib; i++) yield piece;
}

async function together(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: SMALL_CONCURRENCY }, worker));
}

/** What is measured of a node: units a second. Each leaves the node as it found it but for small records. */
function createMeasures(client: Client): Record<Measure, (size?: number) => Promise<number>> {
  const small = randomBytes(SMALL_BYTES);
  const ids: string[] = [];
  let id: string | undefined;
  return {
    async put(size = SIZE_MIB) {
      const { headers } = client;
      if (id !== undefined) await client.pool.request({ path: `/v1/records/${id}`, method: 'DELETE', headers });
      return size / (await seconds(async () => (id = await put(client, large(size)))));
    },
    get: async (size = SIZE_MIB) => size / (await seconds(() => download(client, id ?? '', size * MIB))),
    'put-4k': async (count = SMALL) =>
      count / (await seconds(() => together(count, async (i) => (ids[i] = await put(client, small))))),
    'get-4k': async (count = SMALL) =>
      count / (await seconds(() => together(count, (i) => get(client, ids[i] ?? '', SMALL_BYTES)))),
  };
}

interface Turn {
  readonly perSecond: number;
  /** Of one unit. */
  readonly cpuMs: number;
}

function report(name: Measure, turns: Record<Kind, readonly Turn[]>): void {
  compare(`sockets-${name}`, turns.split, { name: 'embedded', turns: turns.embedded });
  compare(`tls-${name}`, turns.tls, { name: 'sockets', turns: turns.split });
}

function compare(name: string, ours: readonly Turn[], peer: { name: string; turns: readonly Turn[] }): void {
  const of = (turns: readonly Turn[], what: keyof Turn): number[] => turns.map((turn) => turn[what]);
  const cpu = { ours: round(median(of(ours, 'cpuMs'))), peer: round(median(of(peer.turns, 'cpuMs'))) };
  printTurns(
    { name, peerName: peer.name, unit: name.endsWith('4k') ? 'records/s' : 'MiB/s' },
    { ours: of(ours, 'perSecond'), peer: of(peer.turns, 'perSecond') },
    { cpu },
  );
}

/** A home for each kind, both on the devnet that the first one brings; nothing is replicated between them. */
async function start(place: Workplace, kind: Kind): Promise<{ node: ServedNode; client: Client }> {
  const home = place.path(kind);
  const roles = kind === 'embedded' ? ['all'] : SPLIT;
  const node = await startNode(place, home, roles, kind === 'tls' ? await overTls(place) : undefined);
  return { node, client: openClient(home) };
}

/** Certificates and addresses of roles that meet over TLS. */
async function overTls(place: Workplace): Promise<EnvOf> {
  const port = { store: await freePort(), audit: await freePort(), rollup: await freePort() };
  await issueCrossings({ folder: place.path('crossings'), instance: 'nectar.bench', days: 1, now: Date.now() });
  const addresses = Object.entries(port).map(([role, at]) => [
    `NECTAR_CROSSING_${role.toUpperCase()}`,
    `127.0.0.1:${at}`,
  ]);
  return (role) => ({
    ...Object.fromEntries(addresses),
    NECTAR_CROSSINGS: 'tls',
    NECTAR_CROSSING_INSTANCE: 'nectar.bench',
    NECTAR_CROSSING_TLS: place.path('crossings', role),
    ...(role in port && { NECTAR_CROSSING_LISTEN: `127.0.0.1:${port[role as keyof typeof port]}` }),
  });
}

/** Resolves with what measures one turn. */
async function warmUp({ node, client }: Awaited<ReturnType<typeof start>>): Promise<(name: Measure) => Promise<Turn>> {
  const measures = createMeasures(client);
  for (const name of MEASURES) await measures[name](name.endsWith('4k') ? WARM_UP_SMALL : WARM_UP_MIB);
  return async (name) => {
    const before = node.cpuMs();
    const perSecond = await measures[name]();
    return { perSecond, cpuMs: (node.cpuMs() - before) / (name.endsWith('4k') ? SMALL : SIZE_MIB) };
  };
}

export async function run(): Promise<void> {
  const place = new Workplace();
  place.env.NECTAR_STORE_REPLICAS = '0';
  const started: Awaited<ReturnType<typeof start>>[] = [];
  try {
    for (const kind of KINDS) started.push(await start(place, kind));
    const measured = await Promise.all(started.map(warmUp));
    for (const name of MEASURES) {
      const turns: Record<Kind, Turn[]> = { embedded: [], split: [], tls: [] };
      for (let turn = 0; turn < ROUNDS; turn++) {
        const order = [...KINDS.entries()];
        for (const [at, kind] of turn % 2 === 0 ? order : order.toReversed()) {
          const measure = measured[at];
          if (measure !== undefined) turns[kind].push(await measure(name));
        }
      }
      report(name, turns);
    }
  } finally {
    for (const { node, client } of started) {
      await client.pool.destroy();
      await node.stop();
    }
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
