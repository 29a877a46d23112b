import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import { openIndexDb } from '../../../../appliance/store/index-db.ts';
import { createIndexKeys } from '../../../../appliance/store/index-keys.ts';
import { context, createFixture, type Fixture, put } from './store-fixture.ts';

const ANCHOR = { root: 'aa', batchId: 'aa' };

let f: Fixture;
beforeEach(async () => {
  f = await createFixture({ replicas: 0 });
});
afterEach(() => f.close());

async function anchorAll(): Promise<void> {
  const waiting = await f.store.unanchored(100);
  // Twice: a crash after the mark marks again.
  for (const _ of [0, 1]) await f.store.markAnchored(waiting, ANCHOR);
}

const counted = (): number => f.store.stats().anchored;

test('what is anchored is counted with the versions that are, whatever becomes of them', async () => {
  const [a, b] = [await put(f.store, Buffer.from('a')), await put(f.store, Buffer.from('b'))];
  await put(f.store, Buffer.from('a2'), { recordId: a.recordId });
  assert.equal(counted(), 0);
  await anchorAll();
  assert.equal(counted(), 3);
  await put(f.store, Buffer.from('c'));
  await f.store.shred(a.recordId, context);
  assert.equal(counted(), 1);
  await f.restart();
  assert.equal(counted(), 1);
  f.keys.rotate();
  await f.store.rekey({ target: f.keys.current(), load: 100 }, context);
  while (f.store.condition().rekey?.state === 'running') await sleep(5);
  assert.equal(counted(), 0, 'new ciphertext has commitments that no root covers yet');
  await anchorAll();
  await f.store.shred(b.recordId, context);
  assert.equal(counted(), 1);
  await f.store.fsck({ accept: false, context }, () => undefined);
  assert.equal(counted(), 1, 'the same as counted anew');
});

test('an index that did not count them yet is counted at its start', async () => {
  for (const text of ['a', 'b', 'c']) await put(f.store, Buffer.from(text));
  const [first, second] = await f.store.unanchored(2);
  assert.ok(first !== undefined && second !== undefined);
  await f.store.markAnchored([first, second], ANCHOR);
  await f.store.stop();
  const { valueKey, stats: statsKey } = createIndexKeys(crypto, f.keys.derive('index'));
  const folder = join(f.home, 'store', 'index');
  const db = await openIndexDb({ folder, valueKey, statsKey, crypto, randomBytes: (n) => randomBytes(n) });
  await db.commit([{ type: 'set', stats: { anchored: undefined } }]);
  assert.equal(db.stats().anchored, undefined);
  await db.close();
  await f.start();
  assert.deepEqual([counted(), f.store.condition().index.state], [2, 'fresh']);
  await f.restart();
  assert.equal(counted(), 2);
});
