import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { hasCode } from '../../../compliance/store.ts';
import { createFixture, type Fixture, get, put } from './store-fixture.ts';

let f: Fixture;
afterEach(() => f.close());

const index = (): string => join(f.home, 'store/index');
const copy = (): string => join(f.home, 'copy');

test('a put that no later leaf followed, and the index of before it: named, and no alarm, as after a crash', async () => {
  f = await createFixture();
  const kept = await put(f.store, Buffer.from('kept'));
  await cp(index(), copy(), { recursive: true });
  const { length } = f.audit.events;
  const made = await put(f.store, Buffer.from('acknowledged'));
  await f.store.stop();
  // No stop is on record, as after a kill.
  f.audit.events.splice(length + 1);
  await rm(index(), { recursive: true });
  await cp(copy(), index(), { recursive: true });
  await f.start();
  assert.deepEqual([f.store.condition().index, f.store.condition().cutOff], [{ state: 'fresh' }, 1]);
  assert.deepEqual(f.store.readiness(), { ready: true });
  await assert.rejects(get(f.store, made.recordId), hasCode('STORE_RECORD_LOST'), 'whoever has the receipt is told');
  assert.equal((await get(f.store, kept.recordId)).toString(), 'kept');
  const [said, ...more] = f.audit.events.filter(({ detail }) => detail?.state === 'cut-off');
  assert.deepEqual([said?.detail?.missing, said?.detail?.from, said?.detail?.to], [1, length, length]);
  assert.equal(more.length, 0);
  await f.restart();
  assert.equal(f.store.condition().cutOff, undefined, 'said once, and on record');
  await assert.rejects(get(f.store, made.recordId), hasCode('STORE_RECORD_LOST'));
  assert.deepEqual(f.audit.events.filter(({ detail }) => detail?.state === 'cut-off').length, 1);
});
