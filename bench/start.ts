/**
 * How long a node with many records takes from `run all` until /readyz says 200, against the target.
 * `npm run bench -- start`. BENCH_START_RECORDS (100000), BENCH_START_ROUNDS (3).
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Workplace } from '../test/e2e/workplace.ts';
import { median, round, seconds } from './figures.ts';
import { KeptConnection } from './kept-connection.ts';
import { type Access, accessOf, ServedNode, startNode } from './served-node.ts';

const RECORDS = Number(process.env.BENCH_START_RECORDS ?? 100_000);
const ROUNDS = Number(process.env.BENCH_START_ROUNDS ?? 3);
const TARGET_SECONDS = 3;
const CLIENTS = 16;
const BYTES = 512;

async function fill(access: Access): Promise<void> {
  const body = randomBytes(BYTES);
  let left = RECORDS;
  const client = async (): Promise<void> => {
    const connection = await KeptConnection.open(access);
    while (left-- > 0) {
      const { status } = await connection.send('POST', '/v1/records', body);
      if (status !== 201) left++;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** Asks as a load balancer would, often enough for the figure. */
async function untilReady(access: Access): Promise<void> {
  for (;;) {
    if (await listens(access)) {
      const connection = await KeptConnection.open(access).catch(() => undefined);
      const answer = await connection?.send('GET', '/readyz').catch(() => undefined);
      connection?.close();
      if (answer?.status === 200) return;
    }
    await delay(20);
  }
}

function listens({ gateway }: Access): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: gateway.hostname, port: Number(gateway.port) });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.on('connect', end(true)).on('error', end(false));
  });
}

export async function run(): Promise<void> {
  const place = new Workplace();
  const home = place.path('home');
  let node = await startNode(place, home, ['all']);
  try {
    const access = accessOf(home);
    await fill(access);
    const times: number[] = [];
    for (let turn = 0; turn < ROUNDS; turn++) {
      await node.stop();
      times.push(
        await seconds(async () => {
          node = new ServedNode(place, home, ['all']);
          await untilReady(access);
        }),
      );
    }
    const ours = median(times);
    const names = { name: 'start', peerName: `target with ${RECORDS} records`, unit: 's' };
    const line = { ...names, ours: round(ours), peer: TARGET_SECONDS, ratio: round(ours / TARGET_SECONDS) };
    process.stdout.write(`${JSON.stringify({ ...line, highest: round(Math.max(...times)) })}\n`);
  } finally {
    await node.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
