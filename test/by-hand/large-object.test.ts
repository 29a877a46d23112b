import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { accessOf, type ServedNode, startNode } from '../../bench/served-node.ts';
import { createClient } from '../../cli/client.ts';
import { partPaths } from '../../cli/partial-file.ts';
import { hasPseudoTerminals } from '../e2e/pseudo-terminal.ts';
import { Workplace } from '../e2e/workplace.ts';

/**
 * By hand: an object of so many GiB goes into a node and out of it, through a kill of the command in the middle of each. It needs five
 * times its size of disk. `NECTAR_LARGE_GIB=20 node --test test/by-hand/large-object.test.ts`.
 */
const GIB = Number(process.env.NECTAR_LARGE_GIB ?? 0);
const BYTES = GIB * 1024 ** 3;
const PIECE = Buffer.alloc(4 * 1024 * 1024);
/** What a process may add to what it held before: the same for one GiB and for a thousand. */
const MAX_ADDED_MIB = 250;
const SAMPLE_MS = 500;
const skip = GIB > 0 && hasPseudoTerminals ? false : 'by hand: NECTAR_LARGE_GIB=4';

describe('a large object', { skip }, () => {
  const work = new Workplace();
  const home = work.path('home');
  const [file, out] = [work.path('large.bin'), work.path('out.bin')];
  const held: Record<string, number[]> = { node: [], put: [], get: [] };
  const client = () => {
    const { gateway, ca, token } = accessOf(home);
    return createClient({ gateway: gateway.origin, ca, token, signal: new AbortController().signal });
  };
  let node: ServedNode;
  let idleMiB: number;
  let digest: string;
  let recordId: string;
  let sampling: NodeJS.Timeout;

  before(async () => {
    node = await startNode(work, home, ['all']);
    digest = await writeContent(file);
    idleMiB = node.memoryMiB('all').all;
    sampling = setInterval(() => held.node?.push(node.memoryMiB('all').all), SAMPLE_MS).unref();
  });
  after(async () => {
    clearInterval(sampling);
    for (const [what, sizes] of Object.entries(held))
      process.stdout.write(`# ${what}: at most ${Math.max(...sizes)} MiB\n`);
    await node?.stop();
    await work.run(['devnet', 'down']);
    work.remove();
  });

  /** The command at a terminal of its own; what it showed. */
  const atTerminal = async (name: 'put' | 'get', args: readonly string[]): Promise<string> => {
    const command = work.commandLine([...args, '--home', home]).join(' ');
    const child = spawn('script', ['-qefc', `stty cols 80; exec ${command}`, '/dev/null'], {
      cwd: work.folder,
      env: { ...work.env, TERM: 'xterm', SHELL: '/bin/sh' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let shown = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      shown = (shown + chunk.toString()).slice(-64 * 1024);
    });
    const ended = endOf(child);
    const timer = setInterval(() => held[name]?.push(commandMiB(child)), SAMPLE_MS);
    assert.equal(await ended.finally(() => clearInterval(timer)), 0, shown);
    return shown;
  };

  test('goes on where a killed put was, shows how far it is, and is one record', async () => {
    const killed = work.spawn(['put', file, '--resumable', '--home', home]);
    const ended = endOf(killed);
    const notes = join(home, 'client', 'uploads');
    const offset = async (): Promise<number> => {
      const [name] = existsSync(notes) ? readdirSync(notes).filter((each) => each.endsWith('.json')) : [];
      if (name === undefined) return 0;
      const { location } = JSON.parse(readFileSync(join(notes, name), 'utf8')) as { location: string };
      const asking = client();
      const path = new URL(location, 'https://node').pathname;
      const headers = await asking
        .headers('HEAD', path, { headers: { 'tus-resumable': '1.0.0' } })
        .catch(() => undefined);
      await asking.close();
      return Number(headers?.['upload-offset'] ?? 0);
    };
    while (killed.exitCode === null && (await offset()) < BYTES / 4) await sleep(SAMPLE_MS);
    killed.kill('SIGKILL');
    await ended;
    const kept = await offset();
    assert.ok(kept >= BYTES / 4 && kept < BYTES, `${kept} of ${BYTES} bytes were there after the kill`);
    assert.match(await atTerminal('put', ['put', file, '--resumable']), /%/);
    const { records } = await work.json<{ records: { recordId: string; bytes: number }[] }>(['ls', '--home', home]);
    assert.deepEqual(
      records.map(({ bytes }) => bytes),
      [BYTES],
    );
    recordId = records[0]?.recordId ?? '';
  });

  test('comes out as it was, through a killed get', async () => {
    const killed = work.spawn(['get', recordId, '-o', out, '--home', home]);
    const ended = endOf(killed);
    const { part } = partPaths(out);
    const size = (): number => (existsSync(part) ? statSync(part).size : 0);
    while (killed.exitCode === null && size() < BYTES / 4) await sleep(SAMPLE_MS);
    killed.kill('SIGKILL');
    await ended;
    assert.ok(size() >= BYTES / 4, 'what came is kept');
    assert.match(await atTerminal('get', ['get', recordId, '-o', out]), /%/);
    assert.equal(await digestOf(out), digest);
  });

  test('costs no memory that grows with it', () => {
    for (const [what, sizes] of Object.entries(held)) {
      const base = what === 'node' ? idleMiB : (sizes[0] ?? 0);
      const most = Math.max(...sizes);
      assert.ok(most - base < MAX_ADDED_MIB, `${what}: ${base} MiB before, ${most} MiB at most`);
    }
  });
});

/** What nobody can compress, the same in each run; resolves to its SHA-256. */
async function writeContent(path: string): Promise<string> {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  const hash = createHash('sha256');
  const target = await open(path, 'w');
  for (let at = 0; at < BYTES; at += PIECE.length) {
    const piece = stream.update(PIECE);
    hash.update(piece);
    await target.write(piece);
  }
  await target.sync();
  await target.close();
  return hash.digest('hex');
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE.length })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}

/** What the program below script(1) holds now. */
function commandMiB({ pid }: ChildProcess): number {
  try {
    const [below = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${below}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib ?? 0) / 1024);
  } catch {
    // It has just ended.
    return 0;
  }
}
