import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ClassicLevel } from 'classic-level';
import { isDiskFull } from '../../../../appliance/durable-file.ts';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/node-envelope-crypto.ts';
import { type IndexDbOptions, openIndexDb } from '../../../../appliance/store/index-db.ts';
import {
  createIndexThread,
  type IndexRequest,
  type IndexThread,
  type IndexThreadData,
} from '../../../../appliance/store/index-thread.ts';
import { openLevel } from '../../../../appliance/store/level.ts';
import type { IndexWrite } from '../../../../appliance/store/packed-writes.ts';
import { openValue } from '../../../../protocol/envelope/sealed-value.ts';

const PROGRAM = new URL('../../../../appliance/store/index-worker.ts', import.meta.url);
const MANY = 64;

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'index-thread-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function putsOf(count: number, label: string): IndexWrite[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'put',
    key: Buffer.from(`key-${i}`),
    value: Buffer.from(`${label} ${i}`),
  }));
}

/** The real thread, of which a test sees what it is asked. */
function watched(requests: IndexRequest[]): (data: IndexThreadData) => Worker {
  return (workerData) => {
    const worker = new Worker(PROGRAM, { workerData, env: {}, execArgv: [] });
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (request: IndexRequest): void => {
      requests.push(request);
      post(request);
    };
    return worker;
  };
}

/** One that does what a program of the test says. */
function programmed(program: string): () => Worker {
  const head = `const { parentPort } = require('node:worker_threads'); parentPort.postMessage({ is: 'ready' });`;
  return () => new Worker(`${head} parentPort.on('message', () => { ${program} });`, { eval: true });
}

/** Writes once the thread takes it. */
async function written(thread: IndexThread, writes: readonly IndexWrite[]): Promise<void> {
  for (const turn of turns()) {
    const write = thread.write(writes, true);
    if (write !== undefined) return write;
    await turn;
  }
}

/** A thread takes its time to start; one that never does must not hang the suite. */
function* turns(): Generator<Promise<void>> {
  const until = performance.now() + 120_000;
  while (performance.now() < until) yield new Promise((resolve) => setTimeout(resolve, 2));
  throw new Error('the thread did not start');
}

test('seals for their places and writes what opens there, and wipes what it was given', async (t) => {
  const folder = await folderFor(t);
  const valueKey = randomBytes(32);
  const requests: IndexRequest[] = [];
  const db = await openLevel(folder);
  const thread = createIndexThread({ folder, valueKey, randomBytes, start: watched(requests) });
  await written(thread, putsOf(MANY, 'first'));
  await written(thread, [...putsOf(MANY, 'second'), { type: 'del', key: Buffer.from('key-7') }]);
  assert.equal(await db.get(Buffer.from('key-7')), undefined);
  const salts = new Set<string>();
  for (let i = 0; i < MANY; i++) {
    if (i === 7) continue;
    const place = Buffer.from(`key-${i}`);
    const sealed = await db.get(place);
    assert.ok(sealed !== undefined);
    salts.add(Buffer.from(sealed.subarray(1, 17)).toString('hex'));
    const opened = openValue(crypto, valueKey, { place, sealed });
    assert.equal(Buffer.from(opened ?? []).toString(), `second ${i}`);
    assert.equal(openValue(crypto, valueKey, { place: Buffer.from('key-x'), sealed }), undefined);
  }
  assert.equal(salts.size, 1);
  assert.equal(requests.length, 2);
  for (const { memory } of requests) assert.ok(new Uint8Array(memory).every((byte) => byte === 0));
  await thread.end();
  await db.close();
});

test('leaves few writes, and those before it is ready, to the caller', async (t) => {
  const folder = await folderFor(t);
  const started: IndexThreadData[] = [];
  const start = (data: IndexThreadData): Worker => {
    started.push(data);
    return programmed(`parentPort.postMessage({ is: 'written' });`)();
  };
  const thread = createIndexThread({ folder, valueKey: randomBytes(32), randomBytes, start });
  assert.equal(thread.write(putsOf(MANY - 1, 'few'), true), undefined);
  assert.equal(started.length, 0);
  assert.equal(thread.write(putsOf(MANY, 'many'), true), undefined);
  assert.equal(started.length, 1);
  await written(thread, putsOf(MANY, 'many'));
  assert.equal(thread.write(putsOf(2, 'few'), true), undefined);
  const large: IndexWrite[] = putsOf(MANY, 'large').map(({ key }) => ({
    type: 'put',
    key,
    value: Buffer.alloc(200_000),
  }));
  assert.equal(thread.write(large, true), undefined);
  await thread.end();
  assert.ok(started[0]?.valueKey.every((byte) => byte === 0));
});

test('says what the database said, with its codes', async (t) => {
  const causes = [
    { message: 'Batch failed', code: 'LEVEL_IO_ERROR' },
    { message: 'IO error: /index/000003.log: No space left on device' },
  ];
  const start = programmed(`parentPort.postMessage({ is: 'failed', causes: ${JSON.stringify(causes)} });`);
  const thread = createIndexThread({ folder: await folderFor(t), valueKey: randomBytes(32), randomBytes, start });
  await assert.rejects(written(thread, putsOf(MANY, 'x')), (error: NodeJS.ErrnoException) => {
    assert.deepEqual([error.message, error.code], ['Batch failed', 'LEVEL_IO_ERROR']);
    return isDiskFull(error);
  });
  await thread.end();
});

test('a thread that is lost fails the write that it had, and is not asked again', async (t) => {
  for (const program of ['process.exit(1)', 'throw new Error("no")']) {
    const start = programmed(program);
    const thread = createIndexThread({ folder: await folderFor(t), valueKey: randomBytes(32), randomBytes, start });
    await assert.rejects(written(thread, putsOf(MANY, 'x')));
    assert.equal(thread.write(putsOf(MANY, 'x'), true), undefined);
    await thread.end();
  }
});

function optionsOf(folder: string, start: (data: IndexThreadData) => Worker): IndexDbOptions {
  const statsKey = Uint8Array.of(13);
  return { folder, statsKey, valueKey: Buffer.alloc(32, 7), crypto, randomBytes, startThread: start };
}

test('an index written by the thread is whole when it is opened again, and its folder is free after its close', async (t) => {
  const folder = await folderFor(t);
  const requests: IndexRequest[] = [];
  const options = optionsOf(folder, watched(requests));
  const db = await openIndexDb(options);
  let commits = 0;
  for (const turn of turns()) {
    if (requests.length >= 3) break;
    await db.commit(putsOf(MANY, `commit ${commits++}`));
    await turn;
  }
  await db.commit([{ type: 'del', key: Buffer.from('key-0') }]);
  assert.equal(db.generation(), commits + 1);
  await db.close();
  // LevelDB's own lock: one that a thread still held would refuse this.
  const other = new ClassicLevel(folder);
  await other.open();
  await other.close();
  const again = await openIndexDb(options);
  assert.equal(again.generation(), commits + 1);
  assert.equal(await again.get(Buffer.from('key-0')), undefined);
  const last = await again.get(Buffer.from('key-1'));
  assert.equal(Buffer.from(last ?? []).toString(), `commit ${commits - 1} 1`);
  await again.close();
});

test('an index that loses its thread fails that commit, and goes on with what was durable', async (t) => {
  const folder = await folderFor(t);
  const db = await openIndexDb(optionsOf(folder, programmed('process.exit(1)')));
  await db.commit([{ type: 'put', key: Buffer.from('before'), value: Buffer.from('here') }]);
  await assert.rejects(async () => {
    for (const turn of turns()) {
      await db.commit(putsOf(MANY, 'x'));
      await turn;
    }
  });
  await db.commit(putsOf(MANY, 'after'));
  assert.equal(Buffer.from((await db.get(Buffer.from('before'))) ?? []).toString(), 'here');
  assert.equal(Buffer.from((await db.get(Buffer.from('key-3'))) ?? []).toString(), 'after 3');
  await db.close();
});
