import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { syncTree } from '../../../appliance/durable-file.ts';
import { findHolder, type LockRequest, tryLock, withLock } from '../../../appliance/folder-lock.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { holdElsewhere } from './holding.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-lock-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function request(name: string, more: Partial<LockRequest> = {}): LockRequest {
  const { signal } = new AbortController();
  const path = join(folder, name, 'lock');
  return { path, purpose: 'the work', signal, timeoutMs: 10_000, onWait: () => undefined, ...more };
}

test('is held by one at a time, in one process as between two', async () => {
  const path = join(folder, 'one', 'lock');
  const first = await tryLock(path, 'first');
  assert.ok(first !== undefined);
  assert.equal(await tryLock(path, 'second'), undefined);
  assert.equal((await holdElsewhere(path, 'third')).answer, 'busy', 'the second try did not lose it');
  await syncTree(join(folder, 'one'));
  assert.equal((await holdElsewhere(path, 'third')).answer, 'busy', 'nor did making its folder durable');
  assert.equal(await findHolder(path), `first, process ${process.pid}`);
  await first.release();
  const other = await holdElsewhere(path, 'fourth');
  assert.equal(other.answer, 'held');
  assert.equal(await tryLock(path, 'fifth'), undefined);
  assert.equal(await findHolder(path), `fourth, process ${other.child.pid}`);
  await other.release();
});

test('of many that begin at once each gets its turn', async () => {
  let inside = 0;
  let most = 0;
  const work = () =>
    withLock(request('turns'), async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
      return most;
    });
  assert.deepEqual(await Promise.all([work(), work(), work()]), [1, 1, 1]);
});

test('is free the moment its holder is killed', async () => {
  const wanted = request('killed');
  const holder = await holdElsewhere(wanted.path, 'devnet up');
  assert.equal(holder.answer, 'held');
  await holder.kill();
  const lock = await tryLock(wanted.path, 'next');
  assert.ok(lock !== undefined);
  await lock.release();
});

test('is free after a crash although the number of its holder belongs to a process that lives', async () => {
  const wanted = request('foreign');
  mkdirSync(wanted.path, { recursive: true });
  writeFileSync(join(wanted.path, 'holder'), `devnet up, process ${process.ppid}\n`);
  assert.equal(await withLock(wanted, async () => 'done'), 'done');
});

test('is a lock again when its files were damaged, unless it is held', async () => {
  const { path } = request('damaged');
  await (await tryLock(path, 'before'))?.release();
  for (const name of readdirSync(path)) {
    const bytes = readFileSync(join(path, name));
    const middle = bytes.length >> 1;
    if (bytes.length > 0) bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(join(path, name), bytes);
  }
  const lock = await tryLock(path, 'mine');
  assert.ok(lock !== undefined);
  assert.equal((await holdElsewhere(path, 'another')).answer, 'busy');
  await lock.release();
  const holder = await holdElsewhere(path, 'another');
  writeFileSync(join(path, 'CURRENT'), 'MANIFEST-4711\n');
  assert.equal(await tryLock(path, 'mine'), undefined);
  await holder.release();
});

test('cannot be taken by moving aside what its holder wrote', async () => {
  const wanted = request('aside');
  const holder = await holdElsewhere(wanted.path, 'devnet up');
  renameSync(join(wanted.path, 'holder'), join(wanted.path, 'aside'));
  assert.equal(await tryLock(wanted.path, 'mine'), undefined);
  assert.equal(await findHolder(wanted.path), 'another process');
  await holder.release();
});

test('a wait says once for whom, and ends when the holder does', async () => {
  const told: string[] = [];
  const wanted = request('waited', { onWait: (holder) => told.push(holder) });
  const holder = await holdElsewhere(wanted.path, 'devnet up');
  const waiting = withLock(wanted, async () => 'done');
  await new Promise((resolve) => setTimeout(resolve, 350));
  assert.deepEqual(told, [`devnet up, process ${holder.child.pid}`]);
  await holder.release();
  assert.equal(await waiting, 'done');
});

test('a wait that is too long ends with an error that names the holder, and a signal ends it at once', async () => {
  const abort = new AbortController();
  const wanted = request('long', { timeoutMs: 300, signal: abort.signal });
  const holder = await holdElsewhere(wanted.path, 'devnet up');
  await assert.rejects(
    withLock(wanted, async () => assert.fail('it is held')),
    (error) =>
      isNectarError(error, 'NODE_LOCK_HELD') && error.message.includes(`devnet up, process ${holder.child.pid}`),
  );
  const waiting = withLock({ ...wanted, timeoutMs: 60_000 }, async () => assert.fail('it is held'));
  abort.abort(new Error('Ctrl-C'));
  await assert.rejects(waiting, /Ctrl-C|abort/i);
  await holder.release();
});

test("is its owner's alone, whatever LevelDB would make of it", async () => {
  const { path } = request('private');
  const lock = await tryLock(path, 'mine');
  assert.deepEqual(
    [path, ...readdirSync(path).map((name) => join(path, name))].filter((file) => (statSync(file).mode & 0o077) !== 0),
    [],
  );
  await lock?.release();
});

test('is let go when the work fails', async () => {
  const wanted = request('failing');
  await assert.rejects(
    withLock(wanted, async () => {
      throw new Error('no luck');
    }),
    /no luck/,
  );
  assert.equal(await withLock(wanted, async () => 'again'), 'again');
});

test('goes with a folder that is renamed, and stays held', async () => {
  const [before, behind] = [join(folder, 'before'), join(folder, 'behind')];
  const holder = await holdElsewhere(join(before, 'lock'), 'making a home');
  renameSync(before, behind);
  assert.equal(await tryLock(join(behind, 'lock'), 'mine'), undefined);
  await holder.release();
  const lock = await tryLock(join(behind, 'lock'), 'mine');
  assert.ok(lock !== undefined && readdirSync(behind).includes('lock'));
  await lock.release();
});
