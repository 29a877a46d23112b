/**
 * How long a destruction takes against a read of an equal record: medians, one client on one kept connection, through HTTPS with
 * defaults. `npm run bench -- rm`. BENCH_RM_RECORDS (200).
 */
import { randomBytes } from 'node:crypto';
import { Workplace } from '../test/e2e/workplace.ts';
import { median, round, seconds } from './figures.ts';
import { KeptConnection } from './kept-connection.ts';
import { accessOf, startNode } from './served-node.ts';

const RECORDS = Number(process.env.BENCH_RM_RECORDS ?? 200);
const BYTES = 4096;

async function storeRecords(connection: KeptConnection): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < RECORDS; i++) {
    const { status, body } = await connection.send('POST', '/v1/records', randomBytes(BYTES));
    if (status !== 201) throw new Error(body);
    ids.push((JSON.parse(body) as { recordId: string }).recordId);
  }
  return ids;
}

/** Milliseconds of each call. */
async function timed(connection: KeptConnection, method: string, ids: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const id of ids) {
    const took = await seconds(async () => {
      const { status } = await connection.send(method, `/v1/records/${id}`);
      if (status !== 200) throw new Error(`${method}: ${status}`);
    });
    times.push(took * 1000);
  }
  return times;
}

export async function run(): Promise<void> {
  const place = new Workplace();
  const node = await startNode(place, place.path('home'), ['all']);
  const connection = await KeptConnection.open(accessOf(place.path('home')));
  try {
    const ids = await storeRecords(connection);
    await timed(connection, 'GET', ids); // warm the code, not the figures
    const [reads, removals] = [await timed(connection, 'GET', ids), await timed(connection, 'DELETE', ids)];
    const [ours, peer] = [median(removals), median(reads)];
    const names = { name: 'rm', peerName: 'a read of an equal record', unit: 'ms' };
    const line = { ...names, ours: round(ours), peer: round(peer), ratio: round(ours / peer) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    connection.close();
    await node.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
