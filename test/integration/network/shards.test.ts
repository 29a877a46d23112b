import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCodingThread } from '../../../appliance/coding/index.ts';
import type { Cid, RecordId } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { parseCid } from '../../../protocol/network/block-cid.ts';
import { erased } from '../../compliance/store.ts';
import { RegistryDouble } from '../../unit/appliance/p2p/hosts.ts';
import { context, get, put } from '../../unit/appliance/store/store-fixture.ts';
import { Member } from './shard-member.ts';

/** Eight holders and an owner: stores, libp2p hosts, replication and the coding as a node has them; the registry alone is a double. */
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const signal = new AbortController().signal;
const registry = new RegistryDouble();
const coding = createCodingThread();
const world = { registry, coding };

const owner = new Member(220, world);
const holders = Array.from({ length: 8 }, (_, index) => new Member(221 + index, world));

before(async () => {
  for (const member of [owner, ...holders]) await member.start();
});
after(async () => {
  for (const member of [owner, ...holders]) {
    await member.disconnect().catch(() => undefined);
    await member.fixture.close();
  }
  await coding.end();
});

async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < 3_000; look += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`never saw: ${what}`);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const shards = () => owner.fixture.store.condition().shards;

/** Brings and audits until nothing waits. */
async function spread(count: number): Promise<void> {
  await until(async () => {
    await owner.replication.shard(signal);
    await owner.replication.audit(signal);
    // Of a holder whose answer was lost: it was brought elsewhere, and is told to release it.
    await owner.replication.release(signal);
    const { pending } = owner.fixture.store.condition().releases;
    const { holders: eligible, waiting, repairs } = shards();
    const placed = (await owner.fixture.store.placedShards()).reduce((sum, { shards: list }) => sum + list.length, 0);
    return eligible === holders.length && waiting === 0 && repairs === 0 && placed === count && pending === 0;
  }, 'all shards placed and audited');
}

/** Every byte of the owner's own ciphertext is gone; the index stays, as a backup brings it back. */
async function loseBlocks(): Promise<void> {
  const folder = join(owner.fixture.home, 'store', 'blocks');
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (name.isFile()) await rm(join(name.parentPath, name.name));
}

const holderOf = (peerId: string): Member =>
  holders.find(({ node }) => node.peerId === peerId) ?? assert.fail('a stranger holds a shard');

/** Every byte that a member holds for others is another one; its index stays. */
async function corruptHeld({ fixture }: Member): Promise<void> {
  const folder = join(fixture.home, 'store', 'held');
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    await writeFile(
      path,
      (await readFile(path)).map((byte) => byte ^ 1),
    );
  }
}

const rawBlockCid = (bytes: Uint8Array): Cid =>
  parseCid(Uint8Array.of(0x01, 0x55, 0x12, 0x20, ...createHash('sha256').update(bytes).digest()));

const faults = () => owner.fixture.audit.events.filter(({ type }) => type === 'replica.fault');

let records: { recordId: RecordId; bytes: Buffer }[];

test('a record becomes shards on five of eight holders, and is replicated no more', async () => {
  const sizes = [11 * MIB, 300_000, 700];
  records = [];
  for (const size of sizes) {
    const bytes = randomBytes(size);
    records.push({ recordId: (await put(owner.fixture.store, bytes)).recordId, bytes });
  }
  await spread(20);
  await owner.fixture.store.shardWork({ offers: [], silent: [], out: [] });
  assert.equal(shards().storageClass, 'small');
  const placed = await owner.fixture.store.placedShards();
  const held = await Promise.all(holders.map(({ fixture }) => fixture.store.heldShards()));
  const ids = (lists: typeof placed) =>
    lists
      .flatMap(({ shards: list }) => list.map(({ id, root, bytes }) => `${hex(id)} ${hex(root)} ${bytes}`))
      .toSorted();
  assert.deepEqual(ids(placed), ids(held.flat()));
  // Segments of 2/5: two of the large record, one of each of the others.
  assert.equal(ids(placed).length, 4 * 5);
  assert.equal(await owner.replication.tick(signal), 0);
  for (const { recordId } of records)
    assert.deepEqual((await owner.fixture.store.head(recordId, {}, context)).replicas, []);
});

test('an owner that is cut off while it brings shards brings the same ones after its return', async () => {
  const bytes = randomBytes(2 * MIB);
  const { recordId } = await put(owner.fixture.store, bytes);
  records.push({ recordId, bytes });
  const offers = holders.map(({ node }, system) => ({
    holder: node.peerId,
    site: `${system}`,
    system,
    freeBytes: 2 ** 28,
  }));
  const tasks = await owner.fixture.store.shardWork({ offers, silent: [], out: [] });
  assert.equal(tasks.length, 5);
  const [first] = tasks;
  assert.ok(first !== undefined && (await owner.node.p2p.bring(first.holder, first.id, first.blocks, signal)));
  // Nothing of what is in memory is written down by a stop: it is as good as a kill.
  await owner.disconnect();
  await owner.fixture.restart();
  await owner.connect();
  const again = await owner.fixture.store.shardWork({ offers, silent: [], out: [] });
  assert.deepEqual(again, tasks);
  await spread(25);
  const ids = (await owner.fixture.store.placedShards()).flatMap(({ shards: list }) =>
    list.map(({ root }) => hex(root)),
  );
  for (const { root } of tasks) assert.ok(ids.includes(hex(root)));
});

test('a holder refuses a shard whose bytes do not give the root that its owner says, and keeps nothing of it', async () => {
  const [holder] = holders;
  const store = holder?.fixture.store ?? assert.fail('no holder');
  const before = store.held.bytes();
  const [list] = await owner.fixture.store.placedShards();
  const [placed] = list?.shards ?? [];
  const { cid } = await put(owner.fixture.store, randomBytes(70_000));
  const block = (await owner.fixture.store.blocks.get(cid)) ?? assert.fail('no block');
  const bytes = block.subarray(0, 512);
  const part = { cid: rawBlockCid(bytes), bytes };
  await store.held.hold(owner.node.peerId, cid, part);
  const shard = { id: cid, root: placed?.root ?? assert.fail('nothing is placed'), bytes: 512, blocks: [part.cid] };
  assert.deepEqual(await store.shards.take(owner.node.peerId, shard), { type: 'refused', reason: 'wrong' });
  assert.equal(store.held.bytes(), before);
  const unknown = Array.from({ length: 40 }, () => ({ id: cid, leaf: 0 }));
  const said = await store.shards.proveLeaves(owner.node.peerId, unknown);
  assert.deepEqual(said, { type: 'refused', reason: 'absent', question: 0 });
});

test('the owner loses its blocks and any three of the holders: every byte is read from shards', async () => {
  const placed = await owner.fixture.store.placedShards();
  const killed = placed.slice(0, 3).map(({ peer }) => holderOf(peer));
  for (const member of killed) await member.disconnect();
  await owner.disconnect();
  await owner.fixture.restart();
  await loseBlocks();
  await owner.connect();
  for (const { recordId, bytes } of records)
    assert.ok((await get(owner.fixture.store, recordId)).equals(bytes), `${bytes.length} bytes`);
  for (const member of killed) await member.connect();
});

test('a drill reads every segment from holders alone, and says when one is not right', async () => {
  const { store } = owner.fixture;
  let drilled = 0;
  for (const { recordId } of records) {
    const { segments } = await store.shardsOf(recordId);
    assert.ok(segments.length > 0 && segments.every(({ placed, margin }) => placed === 5 && margin === 3));
    for (const { number: segment, bytes } of segments) {
      assert.equal((await store.drill({ recordId, segment }, signal)).bytes, bytes);
      drilled += bytes;
    }
  }
  assert.ok(drilled > records.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const [{ recordId }] = records as [(typeof records)[number]];
  for (const member of holders) await member.disconnect();
  await assert.rejects(store.drill({ recordId, segment: 0 }, signal), (error) =>
    isNectarError(error, 'CODING_SHARDS_TOO_FEW'),
  );
  for (const member of holders) await member.connect();
});

test('shards are moved away from a holder, which keeps none of them and is given no more', async () => {
  const { store } = owner.fixture;
  const left = (await store.placedShards())[0] ?? assert.fail('nothing is placed');
  await store.repairShards({ awayFrom: left.peer });
  await until(async () => {
    await owner.replication.shard(signal);
    await owner.replication.audit(signal);
    await owner.replication.release(signal);
    const placed = await store.placedShards();
    const all = placed.reduce((sum, { shards: list }) => sum + list.length, 0);
    const isGone = holderOf(left.peer).fixture.store.held.bytes() === 0;
    return all === 25 && isGone && placed.every(({ peer }) => peer !== left.peer);
  }, 'no shard at the holder that was left');
});

test('a holder that lies is caught by its audit, is on record, and the shards that it had are made anew elsewhere', async () => {
  const first = (await owner.fixture.store.placedShards())[0] ?? assert.fail('nothing is placed');
  const liar = holderOf(first.peer);
  await corruptHeld(liar);
  const had = first.shards.length;
  owner.fixture.pass(25 * HOUR_MS);
  const before = faults().length;
  // Each audit names the shards that it drew: until none of its shards counts.
  await until(async () => {
    owner.fixture.pass(25 * HOUR_MS);
    await owner.replication.shard(signal);
    await owner.replication.audit(signal);
    const still = (await owner.fixture.store.placedShards()).find(({ peer }) => peer === first.peer);
    return still === undefined;
  }, 'every shard of the liar lost');
  const leaves = faults().slice(before);
  assert.equal(leaves.length, had);
  for (const { outcome, detail } of leaves) assert.deepEqual([outcome, detail?.holder], ['failure', first.peer]);
  const standing = shards().standings.find(({ holder }) => holder === first.peer);
  assert.ok(standing !== undefined && standing.score < 1);
});

test('what was written by nobody but holders is read: the segment that lost most is repaired from k shards', async () => {
  // Two more of the same segments: margin 1 makes a repair due.
  const [, second] = await owner.fixture.store.placedShards();
  await corruptHeld(holderOf(second?.peer ?? assert.fail('nothing is placed')));
  await loseBlocks();
  await until(async () => {
    owner.fixture.pass(25 * HOUR_MS);
    await owner.replication.shard(signal);
    await owner.replication.audit(signal);
    const { repairs, leastMargin } = shards();
    return repairs === 0 && leastMargin !== undefined && leastMargin >= 2;
  }, 'margins of two');
  for (const { recordId, bytes } of records)
    assert.ok((await get(owner.fixture.store, recordId)).equals(bytes), `${bytes.length} bytes`);
});

test('rm with all holders down is receipted after their return, and leaves no shard', async () => {
  for (const member of holders) await member.disconnect();
  for (const { recordId } of records) await owner.fixture.store.shred(recordId, context);
  await erased(owner.fixture.store);
  await owner.replication.release(signal);
  assert.ok(owner.fixture.store.condition().releases.pending >= 20);
  assert.deepEqual(await owner.fixture.store.placedShards(), []);
  for (const member of holders) await member.connect();
  await until(async () => {
    await owner.replication.release(signal);
    return owner.fixture.store.condition().releases.pending === 0;
  }, 'all receipts');
  const { peerId } = owner.node;
  for (const { fixture } of holders) {
    const lists = await fixture.store.heldShards();
    assert.equal(
      lists.find(({ peer }) => peer === peerId),
      undefined,
    );
    assert.equal(fixture.store.held.bytes(), 0);
  }
});
