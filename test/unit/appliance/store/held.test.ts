import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { cidText, rawCid } from '../../../../appliance/store/cid.ts';
import type { PeerIdText } from '../../../../protocol/brand.ts';
import { context, createFixture, type Fixture, put } from './store-fixture.ts';

const OWNER = 'peer-owner' as PeerIdText;
let f: Fixture;
beforeEach(async () => {
  f = await createFixture();
});
afterEach(async () => {
  await f.close();
});

function block(length = 1000) {
  const bytes = randomBytes(length);
  return { cid: cidText(rawCid(bytes)), bytes };
}

test('a block that two roots link goes with the last of them, in whatever order, over a restart too', async () => {
  const { held } = f.store;
  const [one, other, shared] = [block(), block(), block()];
  for (const root of [one, other]) {
    await held.hold(OWNER, root.cid, root);
    await held.hold(OWNER, root.cid, shared);
  }
  assert.equal(held.bytes(), 3000);
  await held.release(OWNER, one.cid);
  assert.deepEqual(await f.store.held.get(OWNER, shared.cid), shared.bytes);
  assert.equal(f.store.held.bytes(), 2000);
  await f.restart();
  await f.store.held.release(OWNER, other.cid);
  assert.equal(await f.store.held.get(OWNER, shared.cid), undefined);
  assert.equal(f.store.held.bytes(), 0);
});

test('some blocks of a root can go alone', async () => {
  const { held } = f.store;
  const [root, second] = [block(), block()];
  await held.hold(OWNER, root.cid, root);
  await held.hold(OWNER, root.cid, second);
  await held.release(OWNER, root.cid, [second.cid]);
  assert.deepEqual(await held.get(OWNER, root.cid), root.bytes);
  assert.equal(await held.get(OWNER, second.cid), undefined);
  assert.equal(held.bytes(), 1000);
});

test('others get no byte of the space that is kept for own records, and own records are taken all the same', async () => {
  const own = await createFixture({ ownReserveBytes: Number.MAX_SAFE_INTEGER });
  const none = await createFixture({ heldMaxPercent: 0 });
  for (const each of [own, none]) {
    const offered = block();
    await assert.rejects(each.store.held.hold(OWNER, offered.cid, offered), { code: 'STORE_HELD_QUOTA' });
    assert.equal(each.store.held.bytes(), 0);
    await put(each.store, randomBytes(1000));
    await each.close();
  }
});

test('nothing is taken of others until it is offered; the offer lasts over restarts, and a smaller one deletes nothing', async () => {
  const own = await createFixture({ heldMaxBytes: 0 });
  const [one, two] = [block(), block()];
  const refused = { code: 'STORE_HELD_QUOTA' };
  assert.deepEqual(own.store.condition().offer, { bytes: 0, heldBytes: 0, from: 'configuration' });
  await assert.rejects(own.store.held.hold(OWNER, one.cid, one), refused);
  own.audit.failNext = 'storage.offer';
  await assert.rejects(own.store.changeOffer(1500, context));
  await assert.rejects(own.store.held.hold(OWNER, one.cid, one), refused);
  assert.deepEqual(await own.store.changeOffer(1500, context), { bytes: 1500, heldBytes: 0, from: 'command' });
  const leaf = own.audit.events.find(({ type }) => type === 'storage.offer');
  assert.deepEqual([leaf?.detail?.bytes, leaf?.detail?.before, leaf?.context.actor.subject], [1500, 0, 'tester']);
  await own.restart();
  await own.store.held.hold(OWNER, one.cid, one);
  await assert.rejects(own.store.held.hold(OWNER, two.cid, two), refused);
  await own.store.changeOffer(0, context);
  await own.restart();
  assert.deepEqual(own.store.condition().offer, { bytes: 0, heldBytes: 1000, from: 'command' });
  assert.deepEqual(await own.store.held.get(OWNER, one.cid), one.bytes);
  await own.close();
});
