import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { cidText, rawCid } from '../../../../appliance/store/cid.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';
import { createFixture, type Fixture, put } from './store-fixture.ts';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
const [A, B] = ['peer-a', 'peer-b'] as [PeerIdText, PeerIdText];
const out = [{ owner: A, isMember: false }];
const open: Fixture[] = [];
afterEach(async () => {
  for (const f of open.splice(0)) await f.close();
});

async function fixture(): Promise<Fixture> {
  const f = await createFixture({ heldMaxBytes: 64 * MIB, heldPerOwnerMaxBytes: 64 * MIB });
  open.push(f);
  return f;
}

function block(length = 1000) {
  const bytes = randomBytes(length);
  return { cid: cidText(rawCid(bytes)), bytes };
}

async function filesOf(f: Fixture): Promise<string[]> {
  const all = await readdir(join(f.home, 'store/held'), { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** The blocks of a large record, as its owner sends them. */
async function blob(f: Fixture): Promise<{ root: Cid; blocks: { cid: Cid; bytes: Uint8Array }[] }> {
  const { cid } = await put(f.store, randomBytes(3 * MIB));
  const blocks = [];
  for (const each of await f.store.blocks.links(cid))
    blocks.push({ cid: each, bytes: (await f.store.blocks.get(each)) ?? assert.fail('a block is missing') });
  return { root: cid, blocks };
}

test('what is held for who is out is read for 30 days, and is gone then, on record, over restarts', async () => {
  const f = await fixture();
  const [one, other, foreign] = [block(), block(), block()];
  await f.store.held.hold(A, one.cid, one);
  await f.store.held.hold(A, one.cid, other);
  await f.store.held.hold(B, foreign.cid, foreign);
  assert.deepEqual([...(await f.store.held.owners())].toSorted(), [A, B]);
  await f.store.held.tidy(out);
  f.pass(30 * DAY_MS - 60_000);
  await f.restart();
  await f.store.held.tidy(out);
  assert.deepEqual(await f.store.held.get(A, one.cid), one.bytes);
  assert.equal(await f.store.held.owes(A), true);
  f.pass(60_000);
  f.audit.failNext = 'held.expire';
  await assert.rejects(f.store.held.tidy(out));
  assert.deepEqual(await f.store.held.get(A, one.cid), one.bytes);
  await f.store.held.tidy(out);
  assert.equal(await f.store.held.get(A, one.cid), undefined);
  assert.equal(await f.store.held.owes(A), false);
  assert.equal(f.store.held.bytes(), 1000);
  assert.deepEqual(await filesOf(f), [foreign.cid]);
  assert.deepEqual(await f.store.held.owners(), [B]);
  const leaf = f.audit.events.find(({ type }) => type === 'held.expire');
  assert.deepEqual([leaf?.detail?.owner, leaf?.detail?.bytes], [A, 2000]);
  await f.restart();
  assert.deepEqual(await f.store.held.get(B, foreign.cid), foreign.bytes);
  // Who comes back begins anew.
  await f.store.held.hold(A, one.cid, one);
  assert.deepEqual(await f.store.held.get(A, one.cid), one.bytes);
  assert.equal(f.store.held.bytes(), 2000);
});

test('who is a member again in time keeps all of it, and nothing is said of keeps it too', async () => {
  const f = await fixture();
  const one = block();
  await f.store.held.hold(A, one.cid, one);
  await f.store.held.tidy(out);
  f.pass(29 * DAY_MS);
  await f.store.held.tidy([{ owner: A, isMember: true }]);
  f.pass(29 * DAY_MS);
  await f.store.held.tidy(out);
  f.pass(29 * DAY_MS);
  await f.store.held.tidy(out);
  f.pass(29 * DAY_MS);
  await f.store.held.tidy([]);
  assert.deepEqual(await f.store.held.get(A, one.cid), one.bytes);
});

test('a blob that is not whole an hour after its last block is gone; a whole one stays', async () => {
  const f = await fixture();
  const [cut, whole, small] = [await blob(f), await blob(f), block()];
  for (const each of cut.blocks.slice(0, -1)) await f.store.held.hold(A, cut.root, each);
  for (const each of whole.blocks) await f.store.held.hold(A, whole.root, each);
  await f.store.held.hold(B, small.cid, small);
  const wholeBytes = whole.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  await f.store.held.tidy([]);
  f.pass(3_000_000);
  await f.store.held.tidy([]);
  assert.ok(f.store.held.bytes() > wholeBytes + 2 * MIB);
  f.pass(3_600_000);
  await f.store.held.tidy([]);
  assert.equal(f.store.held.bytes(), wholeBytes + 1000);
  assert.equal((await filesOf(f)).length, whole.blocks.length + 1);
  for (const { cid, bytes } of whole.blocks)
    assert.deepEqual(Buffer.from((await f.store.held.get(A, cid)) ?? []), Buffer.from(bytes));
  // Judged once: that a block of it is lost later is another matter.
  f.pass(3_600_000);
  await f.store.held.tidy([]);
  assert.equal(f.store.held.bytes(), wholeBytes + 1000);
});

test('the hour begins anew with each block, and with a restart', async () => {
  const f = await fixture();
  const { root, blocks } = await blob(f);
  const [first, second] = blocks;
  assert.ok(first !== undefined && second !== undefined);
  await f.store.held.hold(A, root, first);
  f.pass(3_000_000);
  await f.store.held.hold(A, root, second);
  f.pass(3_000_000);
  await f.store.held.tidy([]);
  assert.ok((await f.store.held.get(A, first.cid)) !== undefined);
  await f.restart();
  await f.store.held.tidy([]);
  f.pass(3_000_000);
  await f.store.held.tidy([]);
  assert.ok((await f.store.held.get(A, first.cid)) !== undefined);
  f.pass(3_600_000);
  await f.store.held.tidy([]);
  assert.equal(await f.store.held.get(A, first.cid), undefined);
  assert.equal(f.store.held.bytes(), 0);
});
