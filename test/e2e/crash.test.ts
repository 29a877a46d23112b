import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { KeptConnection } from '../../bench/kept-connection.ts';
import { type Access, accessOf } from '../../bench/served-node.ts';
import { CrashLedger } from './crash-ledger.ts';
import { freePort, until, Workplace } from './workplace.ts';

/** NECTAR_CRASH_ROUNDS: more of them by hand. */
const ROUNDS = Number(process.env.NECTAR_CRASH_ROUNDS ?? 4);
/** So many that the threads of the index and of the log have groups to work on when the kill comes. */
const CLIENTS = Number(process.env.NECTAR_CRASH_CLIENTS ?? 64);
/** Acknowledged in a round before the kill: one of them, by chance. */
const ACKNOWLEDGED = [CLIENTS, 12 * CLIENTS] as const;
const READY_MS = 120_000;
const LOAD_MS = 120_000;

const work = new Workplace();
const home = work.path('home');
let node: ChildProcess | undefined;

after(async () => {
  node?.kill('SIGKILL');
  if (existsSync(home)) await work.run(['destroy', '--yes', '--home', home]);
  await work.run(['devnet', 'down']);
  work.remove();
});

/** The node that runs, or another as `up` runs it, in a process that we may kill; its output is read, or it would stop at a full pipe. */
async function start(): Promise<Access> {
  if (node?.exitCode === null && node.signalCode === null) return accessOf(home);
  const child = work.spawn(['run', 'all', '--home', home, '--json']);
  node = child;
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => said.push(chunk.toString()) > 200 && said.shift());
  return until(
    'the node',
    async () => {
      if (child.exitCode !== null) throw new Error(`the node ended: ${said.join('')}`);
      const access = accessOf(home);
      const client = await KeptConnection.open(access);
      const { status, body } = await client.send('GET', '/readyz');
      client.close();
      if (status !== 200) throw new Error(`${body}\n${said.slice(-40).join('')}`);
      return access;
    },
    READY_MS,
  );
}

async function kill(): Promise<void> {
  if (node === undefined) return;
  const ended = once(node, 'close');
  node.kill('SIGKILL');
  await ended;
}

async function reached(ledger: CrashLedger, enough: number): Promise<true> {
  const { updates, deletions, revocations } = ledger.counts;
  assert.ok(
    ledger.acknowledged() >= enough && Math.min(updates, deletions, revocations) > 0,
    JSON.stringify(ledger.counts),
  );
  return true;
}

interface Verdict {
  readonly integrity: string;
  readonly completeness: string;
}

test(`${ROUNDS} times kill -9 under load through HTTPS: what was acknowledged holds, and the log verifies`, async (t) => {
  const ports = ['--port', String(await freePort()), '--p2p-port', String(await freePort())];
  await work.json(['init', '--yes', '--home', home, ...ports]);
  await work.json(['down', '--home', home]);
  const ledger = new CrashLedger();
  for (let round = 0; round < ROUNDS; round++) {
    const enough = ledger.acknowledged() + randomInt(...ACKNOWLEDGED);
    const loading = ledger.load(await start(), CLIENTS);
    await Promise.race([until('the load', async () => reached(ledger, enough), LOAD_MS), loading]);
    await kill();
    await loading;
    await ledger.verify(await start());
    const verdict = await work.json<Verdict>(['audit', 'verify', '--home', home]);
    assert.equal(verdict.integrity, 'ok');
    assert.notEqual(verdict.completeness, 'violated');
    t.diagnostic(`round ${round + 1}: ${JSON.stringify(ledger.counts)}`);
  }
  await ledger.verify(await start(), { sample: Number.POSITIVE_INFINITY });
});
