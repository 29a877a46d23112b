/**
 * Pages of 1,000 of many records over HTTPS, of all and of one label that every hundredth has, at the beginning, in the middle and at
 * the end of the list, against PostgreSQL of Debian that selects the same rows by keyset pages; and the whole list by `ls --all`.
 * `flat` is the slowest page of the list by the quickest: 1 is a list whose length does not matter.
 * `npm run bench -- listing`. BENCH_LISTING_RECORDS (100000).
 */
import { randomBytes } from 'node:crypto';
import { freePort, Workplace } from '../test/e2e/workplace.ts';
import { median, printTurns, round, seconds } from './figures.ts';
import { KeptConnection } from './kept-connection.ts';
import { Postgres } from './postgres.ts';
import { type Access, accessOf, startNode } from './served-node.ts';

const RECORDS = Number(process.env.BENCH_LISTING_RECORDS ?? 100_000);
const PAGE = 1_000;
const CLIENTS = 16;
const BYTES = 256;
const LABEL = 'cardiology';
const LABELLED_EVERY = 100;
const MS = 1_000;

interface Page {
  readonly records: readonly unknown[];
  readonly cursor?: string;
}

async function fill(access: Access): Promise<void> {
  const body = randomBytes(BYTES);
  let left = RECORDS;
  const client = async (): Promise<void> => {
    const connection = await KeptConnection.open(access);
    while (left > 0) {
      const labels = left-- % LABELLED_EVERY === 0 ? { labels: LABEL } : {};
      const { status } = await connection.send('POST', '/v1/records', body, labels);
      if (status !== 201) left++;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** Every page of a list, in milliseconds, and how many records it had. */
async function pages(access: Access, query: string): Promise<{ times: number[]; records: number }> {
  const connection = await KeptConnection.open(access);
  const times: number[] = [];
  let records = 0;
  let cursor: string | undefined;
  do {
    const path = `/v1/records?limit=${PAGE}${query}${cursor === undefined ? '' : `&cursor=${cursor}`}`;
    let page: Page = { records: [] };
    times.push(
      MS *
        (await seconds(async () => {
          const { body } = await connection.send('GET', path);
          page = JSON.parse(body) as Page;
        })),
    );
    records += page.records.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  connection.close();
  return { times, records };
}

function peerPages(postgres: Postgres): number {
  const perSecond = postgres.transactions(
    `SELECT id, seq, created, content_type, labels, name, cid, bytes FROM record WHERE seq > :from ORDER BY seq LIMIT ${PAGE};`,
    { clients: 1, seconds: 3, variables: { from: String(Math.floor(RECORDS / 2)) } },
  );
  return MS / perSecond;
}

export async function run(): Promise<void> {
  const place = new Workplace();
  const home = place.path('home');
  const node = await startNode(place, home, ['all']);
  const postgres = await Postgres.start(await freePort());
  try {
    const access = accessOf(home);
    await fill(access);
    postgres.sql(`
      CREATE TABLE record (seq bigserial PRIMARY KEY, id uuid NOT NULL, created timestamptz NOT NULL, content_type text NOT NULL,
        labels text[] NOT NULL, name text, cid text NOT NULL, bytes bigint NOT NULL);
      INSERT INTO record (id, created, content_type, labels, cid, bytes)
        SELECT gen_random_uuid(), now(), 'application/octet-stream', '{}', repeat('b', 59), ${BYTES}
        FROM generate_series(1, ${RECORDS});`);
    const before = node.memoryMiB('all').all;
    const peer = peerPages(postgres);
    for (const [name, query] of [
      ['listing', ''],
      ['listing-newest', '&order=newest'],
      ['listing-label', `&label=${LABEL}`],
    ] as const) {
      const { times, records } = await pages(access, query);
      const full = times.slice(0, -1);
      const flat = round(Math.max(...full) / Math.min(...full));
      const names = { name, peerName: 'PostgreSQL, a keyset page of the same size', unit: 'pages/s' };
      const more = {
        records,
        ms: round(median(times)),
        slowestMs: round(Math.max(...times)),
        ...(full.length > 1 && { flat }),
      };
      printTurns(
        names,
        { ours: [MS / median(times)], peer: [MS / peer] },
        { ...more, rssMib: node.memoryMiB('all').all - before },
      );
    }
    const all = await seconds(() => place.run(['ls', '--all', '--json', '--home', home]));
    process.stdout.write(`${JSON.stringify({ name: 'ls --all --json', seconds: round(all), records: RECORDS })}\n`);
  } finally {
    await node.stop();
    await postgres.stop();
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
