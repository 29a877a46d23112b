import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexDb } from '../../../../appliance/store/index-db.ts';
import { watchIndex } from '../../../../appliance/store/index-health.ts';
import type { Logger } from '../../../../appliance/telemetry/index.ts';

/** An index whose disk takes writes or not. */
function createDouble() {
  const disk = { refuses: undefined as Error | undefined, tried: 0 };
  const commit = async (): Promise<void> => {
    disk.tried += 1;
    if (disk.refuses !== undefined) throw disk.refuses;
  };
  const said: string[] = [];
  const log = {
    info: (_: object, text: string) => said.push(text),
    error: (_: object, text: string) => said.push(text),
  };
  return { disk, said, db: { commit } as unknown as IndexDb, log: log as unknown as Logger };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('an index that refuses a write is not writable until it takes one, and tries by itself', async () => {
  const { disk, said, db: opened, log } = createDouble();
  const { db, health } = watchIndex(opened, { log, signal: new AbortController().signal, probeMs: 5 });
  await db.commit([]);
  assert.equal(health.failure, undefined);

  disk.refuses = new Error('the disk refuses');
  for (let i = 0; i < 3; i += 1) await assert.rejects(db.commit([]), disk.refuses);
  const { tried } = disk;
  await until(() => disk.tried >= tried + 3);
  assert.equal(health.failure, 'the disk refuses');
  assert.equal(said.length, 1, 'said once');

  disk.refuses = undefined;
  await until(() => health.failure === undefined);
  assert.deepEqual(said, ['the index of the store cannot be written', 'the index of the store is writable again']);
  const after = disk.tried;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(disk.tried, after, 'it is not tried for nothing');
});

test('a write that a stop cut off says nothing of the disk, and nothing is tried after it', async () => {
  const { disk, said, db: opened, log } = createDouble();
  const stop = new AbortController();
  const { db, health } = watchIndex(opened, { log, signal: stop.signal, probeMs: 5 });
  stop.abort();
  disk.refuses = new Error('closed');
  await assert.rejects(db.commit([]), disk.refuses);
  assert.deepEqual([health.failure, said, disk.tried], [undefined, [], 1]);
});

test('trying ends with the store', async () => {
  const { disk, db: opened, log } = createDouble();
  const stop = new AbortController();
  const { db } = watchIndex(opened, { log, signal: stop.signal, probeMs: 5 });
  disk.refuses = new Error('the disk refuses');
  await assert.rejects(db.commit([]), disk.refuses);
  await until(() => disk.tried >= 2);
  stop.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { tried } = disk;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(disk.tried, tried);
});
