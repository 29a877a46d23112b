/**
 * 4 KiB audited puts through HTTPS by 64 clients at a time, everything at its default, against PostgreSQL of Debian at its defaults
 * (fsync, synchronous_commit on) inserting the same 4 KiB and an audit row in one transaction, 64 connections, on the same disk.
 * Both are up all the time and are asked in turns. A put counts when the node answered 201; `refused` is how many it did not take.
 * `npm run bench -- puts`. BENCH_PUTS_SECONDS (8) a turn, BENCH_PUTS_ROUNDS (5).
 */
import { randomBytes } from 'node:crypto';
import { freePort, Workplace } from '../test/e2e/workplace.ts';
import { median, printTurns, round } from './figures.ts';
import { KeptConnection } from './kept-connection.ts';
import { Postgres } from './postgres.ts';
import { accessOf, type ServedNode, startNode } from './served-node.ts';

const SECONDS = Number(process.env.BENCH_PUTS_SECONDS ?? 8);
const ROUNDS = Number(process.env.BENCH_PUTS_ROUNDS ?? 5);
const CLIENTS = 64;
const BYTES = 4096;
const WARM_UP_SECONDS = 5;

const SCHEMA = `
  CREATE TABLE record (id uuid PRIMARY KEY, created timestamptz NOT NULL, content_type text NOT NULL, body bytea NOT NULL);
  ALTER TABLE record ALTER COLUMN body SET STORAGE EXTERNAL;
  CREATE TABLE audit (id bigserial PRIMARY KEY, at timestamptz NOT NULL, actor text NOT NULL, action text NOT NULL,
    record uuid NOT NULL, detail text NOT NULL);`;
const TRANSACTION = `
BEGIN;
INSERT INTO record SELECT gen_random_uuid(), now(), 'application/octet-stream', decode(:body, 'base64') RETURNING id \\gset
INSERT INTO audit (at, actor, action, record, detail) VALUES (now(), 'clinician@example', 'record.create', :id, '4096 bytes');
COMMIT;
`;

interface Turn {
  readonly perSecond: number;
  readonly refused: number;
  /** Of the processor, for one put. */
  readonly cpuMs: number;
}

async function putFor(connections: readonly KeptConnection[], node: ServedNode, howLong: number): Promise<Turn> {
  const body = randomBytes(BYTES);
  let stored = 0;
  let refused = 0;
  const cpu = node.cpuMs();
  const begun = performance.now();
  const until = begun + howLong * 1000;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < until) {
        const { status } = await connection.send('POST', '/v1/records', body);
        if (status === 201) stored++;
        else refused++;
      }
    }),
  );
  const took = (performance.now() - begun) / 1000;
  return { perSecond: stored / took, refused, cpuMs: (node.cpuMs() - cpu) / stored };
}

function transactFor(postgres: Postgres, howLong: number): Turn {
  const variables = { body: randomBytes(BYTES).toString('base64') };
  const cpu = postgres.cpuMs();
  const perSecond = postgres.transactions(TRANSACTION, { clients: CLIENTS, seconds: howLong, variables });
  return { perSecond, refused: 0, cpuMs: (postgres.cpuMs() - cpu) / (perSecond * howLong) };
}

async function measure(node: ServedNode, connections: readonly KeptConnection[], postgres: Postgres): Promise<void> {
  await putFor(connections, node, WARM_UP_SECONDS);
  transactFor(postgres, 2);
  const ours: Turn[] = [];
  const peer: Turn[] = [];
  for (let turn = 0; turn < ROUNDS; turn++) {
    ours.push(await putFor(connections, node, SECONDS));
    peer.push(transactFor(postgres, SECONDS));
  }
  const middle = (turns: readonly Turn[], of: keyof Turn): number => median(turns.map((turn) => turn[of]));
  printTurns(
    { name: 'puts-https-4k', peerName: 'PostgreSQL, record and audit row, synchronous_commit on', unit: 'puts/s' },
    { ours: ours.map(({ perSecond }) => perSecond), peer: peer.map(({ perSecond }) => perSecond) },
    {
      refused: ours.reduce((sum, turn) => sum + turn.refused, 0),
      cpu: { ours: round(middle(ours, 'cpuMs')), peer: round(middle(peer, 'cpuMs')) },
    },
  );
}

export async function run(): Promise<void> {
  const place = new Workplace();
  let [node, postgres]: [ServedNode | undefined, Postgres | undefined] = [undefined, undefined];
  const connections: KeptConnection[] = [];
  try {
    postgres = await Postgres.start(await freePort());
    postgres.sql(SCHEMA);
    node = await startNode(place, place.path('home'), ['all']);
    const access = accessOf(place.path('home'));
    for (let i = 0; i < CLIENTS; i++) connections.push(await KeptConnection.open(access));
    await measure(node, connections, postgres);
  } finally {
    for (const connection of connections) connection.close();
    await node?.stop();
    await postgres?.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
