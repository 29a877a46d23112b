import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Anchor, createAnchor, readAnchoredHeads } from '../../../../appliance/anchor/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { merkleRoot } from '../../../../protocol/merkle/compact-range.ts';
import { createWorld, depsOf, type World } from './chain-double.ts';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-anchor-'));
  folders.push(folder);
  return folder;
}

/** Started, its own loop asleep: the test calls tick. */
async function open(world: World, folder?: string): Promise<Anchor> {
  const options = {
    intervalMs: 100,
    pollMs: 3_600_000,
    resendAfterMs: 1_000,
    maxRecords: 3,
    folder: folder ?? (await newFolder()),
  };
  const anchor = createAnchor(options, depsOf(world));
  await anchor.start(new AbortController().signal);
  await anchor.tick();
  return anchor;
}

test('records and checkpoint are sent, followed to a safe block, and reported', async () => {
  const world = createWorld();
  world.records.add(2);
  world.audit.size = 5;
  const anchor = await open(world);
  assert.deepEqual(await anchor.anchored(), { auditSize: 0, auditRoot: null, safeBlock: null, pending: 2 });
  world.chain.mine();
  await anchor.tick();
  assert.equal(world.records.marked.size, 0, 'not before L1 has it');
  assert.equal((await anchor.anchored()).auditSize, 0);
  world.chain.safe = 1n;
  await anchor.tick();
  const { root } = world.audit.treeHead();
  assert.deepEqual(await anchor.anchored(), { auditSize: 5, auditRoot: root, safeBlock: '1', pending: 0 });
  assert.deepEqual(await anchor.auditAnchors(), [{ size: 5, root, where: 'AuditAnchor, L2 block 1', at: 0 }]);
  assert.equal(world.chain.sent, 2);
  await anchor.stop();
});

test('the anchored root is the RFC 6962 root of the kept leaves', async () => {
  const world = createWorld();
  world.records.add(3);
  const folder = await newFolder();
  const anchor = await open(world, folder);
  world.chain.mine();
  const [root] = [...world.chain.roots.keys()].map((hex) => hex.slice(2));
  const leaves = await readFile(join(folder, 'batches', `${root}.leaves`));
  const commitments = [0, 1, 2].map((index) => leaves.subarray(index * 32, index * 32 + 32));
  assert.equal(Buffer.from(merkleRoot(commitments)).toString('hex'), root);
  assert.deepEqual(new Set(commitments.map((each) => each[0])), new Set([252, 253, 254]));
  await anchor.stop();
});

test('more records than one root takes go out in several, one at a time', async () => {
  const world = createWorld();
  world.records.add(7);
  const anchor = await open(world);
  for (let block = 1n; block <= 6n; block += 1n) {
    world.chain.mine();
    world.chain.safe = block;
    world.clock.now += 100;
    await anchor.tick();
  }
  assert.equal(world.records.marked.size, 7);
  assert.equal(world.chain.roots.size, 3);
  assert.equal(world.chain.reverted, 0);
  assert.ok([...world.records.marked.values()].every((roots) => roots.length === 1));
  await anchor.stop();
});

test('a node that is no member, or has no balance, waits and says why, and goes on by itself', async () => {
  const world = createWorld();
  world.membership.authorized = false;
  world.chain.funds = 0n;
  const anchor = await open(world);
  assert.equal((await anchor.anchored()).waiting, undefined, 'nothing to anchor: nothing to wait for');
  world.audit.size = 1;
  await anchor.tick();
  assert.match((await anchor.anchored()).waiting ?? '', /not an authorized member/);
  assert.deepEqual(anchor.readiness(), { ready: true });
  // What is said holds when it is said, not when the anchor looked last.
  world.membership.announced = true;
  assert.equal((await anchor.anchored()).waiting, 'the block that admits this node is not on L1 yet');
  world.membership.announced = false;
  world.chain.current = false;
  assert.doesNotMatch((await anchor.anchored()).waiting ?? '', /not an authorized member/);
  world.chain.current = true;
  world.membership.authorized = true;
  assert.match((await anchor.anchored()).waiting ?? '', /no balance/);
  await anchor.tick();
  assert.equal(world.chain.sent, 0);
  world.chain.funds = 1n;
  assert.equal((await anchor.anchored()).waiting, undefined);
  await anchor.tick();
  assert.equal(world.chain.sent, 1);
  await anchor.stop();
});

test('a transaction that vanishes is sent again after its time, not before', async () => {
  const world = createWorld();
  world.records.add(1);
  world.audit.size = 1;
  const anchor = await open(world);
  world.chain.mempool.splice(0);
  world.clock.now += 999;
  await anchor.tick();
  assert.equal(world.chain.sent, 2);
  world.clock.now += 1;
  await anchor.tick();
  assert.equal(world.chain.sent, 4);
  await anchor.stop();
});

test('an anchor in an unsafe block that L1 never saw is made again', async () => {
  const world = createWorld();
  world.records.add(1);
  world.audit.size = 2;
  const anchor = await open(world);
  world.chain.mine();
  await anchor.tick();
  world.chain.dropTo(0n);
  world.clock.now += 1_000;
  await anchor.tick();
  world.chain.mine();
  world.chain.safe = 1n;
  await anchor.tick();
  assert.equal(world.records.marked.size, 1);
  assert.equal((await anchor.anchored()).auditSize, 2);
  await anchor.stop();
});

test('a checkpoint grows at most once an interval, and an older safe one is reported meanwhile', async () => {
  const world = createWorld();
  world.audit.size = 1;
  const anchor = await open(world);
  world.chain.mine();
  world.chain.safe = 1n;
  world.audit.size = 2;
  await anchor.tick();
  assert.equal(world.chain.sent, 1);
  world.clock.now += 100;
  await anchor.tick();
  world.chain.mine();
  await anchor.tick();
  assert.equal(world.chain.sent, 2);
  assert.equal((await anchor.anchored()).auditSize, 1);
  await anchor.stop();
  const again = createAnchor(
    { intervalMs: 100, pollMs: 3_600_000, resendAfterMs: 1_000, maxRecords: 3, folder: await newFolder() },
    depsOf(world),
  );
  await again.start(new AbortController().signal);
  await again.tick();
  assert.equal((await again.anchored()).auditSize, 1, 'found again on the chain after a restart');
  await again.stop();
});

test('a log that is shorter than its anchor, or forked from it and grown since, is never anchored', async () => {
  const cutTail = (world: World): void => {
    world.audit.size = 3;
  };
  const rewrite = (world: World): void => {
    world.audit.fork = 'other';
  };
  const outgrow = (world: World): void => {
    rewrite(world);
    world.audit.size = 400;
  };
  for (const spoil of [cutTail, rewrite, outgrow]) {
    const world = createWorld();
    world.audit.size = 4;
    const anchor = await open(world);
    world.chain.mine();
    world.clock.now += 100;
    spoil(world);
    await anchor.tick();
    assert.match((await anchor.anchored()).waiting ?? '', /AuditAnchor, L2 block 1 vouches for/);
    assert.equal(world.chain.sent, 1);
    await anchor.stop();
  }
});

test('nothing of the log is anchored before the chain is known up to now, and what is known of it is told as such', async () => {
  const world = createWorld();
  world.audit.size = 4;
  world.chain.current = false;
  const anchor = await open(world);
  await anchor.tick();
  assert.equal(anchor.readiness().ready, false, 'a node put back as a whole must not say ready before the chain spoke');
  world.chain.current = true;
  await anchor.tick();
  assert.deepEqual(anchor.readiness(), { ready: true });
  world.chain.mine();
  world.clock.now += 100;
  world.chain.current = false;
  world.audit.size = 9;
  await anchor.tick();
  assert.deepEqual([world.chain.sent, world.audit.told], [1, [4]]);
  world.chain.current = true;
  await anchor.tick();
  assert.equal(world.chain.sent, 2);
  await anchor.stop();
});

test('the signed heads that the chain has are kept in the folder, for a start without the chain', async () => {
  const world = createWorld();
  const folder = await newFolder();
  const options = { intervalMs: 100, pollMs: 3_600_000, resendAfterMs: 1_000, maxRecords: 3, folder };
  const anchor = createAnchor(options, depsOf(world));
  await anchor.start(new AbortController().signal);
  for (const size of [3, 5, 8, 13, 21, 34]) {
    world.audit.size = size;
    world.clock.now += 100;
    await anchor.tick();
    world.chain.mine();
    await anchor.tick();
  }
  await anchor.stop();
  const kept = await readAnchoredHeads(folder);
  assert.deepEqual(
    kept.map(({ note }) => note),
    ['note of 34', 'note of 21', 'note of 13', 'note of 8'],
  );
  assert.deepEqual(await readAnchoredHeads(join(folder, 'nowhere')), []);
});

test('a sequencer that takes nothing is waited for', async () => {
  const world = createWorld();
  world.audit.size = 1;
  const send = world.chain.send.bind(world.chain);
  world.chain.send = () => Promise.reject(new Error('unreachable'));
  const anchor = await open(world);
  assert.match((await anchor.anchored()).waiting ?? '', /did not take/);
  world.chain.send = send;
  world.clock.now += 100;
  await anchor.tick();
  assert.equal(world.chain.sent, 1);
  assert.equal((await anchor.anchored()).waiting, undefined);
  await anchor.stop();
});

test('trouble with records does not hold up the audit log', async () => {
  const world = createWorld();
  world.audit.size = 1;
  world.records.unanchored = () => Promise.reject(new Error('index broken'));
  const anchor = await open(world);
  assert.equal(world.chain.sent, 1);
  assert.match((await anchor.anchored()).waiting ?? '', /gave no answer/);
  await anchor.stop();
});

test('a damaged progress file is one clear error, a missing one a new beginning', async () => {
  const folder = await newFolder();
  for (const text of [
    '',
    '{',
    '{"version":2}',
    '{"version":1,"safeRecords":-1}',
    '{"version":1,"safeRecords":0,"extra":1}',
  ]) {
    await writeFile(join(folder, 'progress.json'), text);
    await assert.rejects(open(createWorld(), folder), (error: unknown) =>
      isNectarError(error, 'ANCHOR_PENDING_CORRUPT'),
    );
  }
});

test('before start and after stop every question says that it is not ready', async () => {
  const anchor = createAnchor(
    { intervalMs: 0, pollMs: 1, resendAfterMs: 0, maxRecords: 1, folder: await newFolder() },
    depsOf(createWorld()),
  );
  await assert.rejects(
    () => anchor.anchored(),
    (error: unknown) => isNectarError(error, 'NODE_NOT_READY'),
  );
  assert.equal(anchor.readiness().ready, false);
  await anchor.start(new AbortController().signal);
  await anchor.stop();
  assert.equal(anchor.readiness().ready, false);
});
