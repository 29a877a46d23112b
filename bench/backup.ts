/**
 * What a backup run costs with many records: the key table is written whole with each. The node is down, so that the figures are
 * those of the run; memory is the peak of what its process has for itself (files of the index that LevelDB maps are left out: the
 * kernel takes them back). `npm run bench -- backup`. BENCH_BACKUP_RECORDS (100000).
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Workplace } from '../test/e2e/workplace.ts';
import { makeHome, openHome } from '../test/unit/cli/life/stored-home.ts';
import { MIB, round, seconds } from './figures.ts';

const RECORDS = Number(process.env.BENCH_BACKUP_RECORDS ?? 100_000);
const CLIENTS = 64;
const BYTES = 512;
const POLL_MS = 20;
const TARGET_MIB = 512;

/** A home with that many small records, its stores closed again. */
async function fill(place: Workplace): Promise<string> {
  const home = await makeHome(place.folder, 'node');
  const stores = await openHome(home, place.path('node.key'));
  let left = RECORDS;
  const client = async (): Promise<void> => {
    while (left-- > 0) await stores.put(randomBytes(BYTES));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await stores.stop();
  return home;
}

interface Measured {
  readonly seconds: number;
  readonly peakMib: number;
  readonly answer: Record<string, unknown>;
}

/** Runs the program, and watches its memory. */
async function measure(place: Workplace, args: readonly string[]): Promise<Measured> {
  const child = place.spawn([...args, '--json']);
  let [out, err, peakKib, ended] = ['', '', 0, false];
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  const end = new Promise<number | null>((resolve) => child.on('close', resolve)).finally(() => {
    ended = true;
  });
  const took = await seconds(async () => {
    while (!ended) {
      peakKib = Math.max(peakKib, ownMemory(child.pid ?? 0));
      await Promise.race([end, delay(POLL_MS)]);
    }
  });
  if ((await end) !== 0) throw new Error(`${args.join(' ')}\n${err}`);
  return { seconds: took, peakMib: peakKib / 1024, answer: JSON.parse(out) as Record<string, unknown> };
}

function ownMemory(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

export async function run(): Promise<void> {
  const place = new Workplace();
  try {
    const home = await fill(place);
    const to = place.path('repository');
    const steps: Record<string, readonly string[]> = {
      'backup-first': ['backup', '--to', to, '--home', home],
      'backup-again': ['backup', '--to', to, '--home', home],
      'backup-verify-quick': ['backup', 'verify', '--quick', '--home', home],
      'backup-restore': ['restore', to, '--home', place.path('again'), '--key-file', place.path('node.key')],
    };
    for (const [name, args] of Object.entries(steps)) {
      const { seconds: took, peakMib, answer } = await measure(place, args);
      const tableMib = Number(answer.tableBytes ?? 0) / MIB;
      const line = { name, ours: round(peakMib), peer: TARGET_MIB, peerName: `target with ${RECORDS} records` };
      const more = { ratio: round(peakMib / TARGET_MIB), unit: 'MiB at the peak', seconds: round(took) };
      process.stdout.write(
        `${JSON.stringify({ ...line, ...more, ...(tableMib > 0 && { tableMib: round(tableMib) }) })}\n`,
      );
    }
  } finally {
    place.remove();
  }
}
