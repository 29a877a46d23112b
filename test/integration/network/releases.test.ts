import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createReplication, type Replication } from '../../../appliance/replication/index.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';
import type { Cid } from '../../../protocol/brand.ts';
import { isReleaseReceipt } from '../../../protocol/network/release-exchange.ts';
import { erased } from '../../compliance/store.ts';
import { RegistryDouble, startNode, TEST_OPTIONS, type TestNode } from '../../unit/appliance/p2p/hosts.ts';
import { context, createFixture, type Fixture, put } from '../../unit/appliance/store/store-fixture.ts';

/** Stores, libp2p hosts and replication as a node has them; the registry alone is a double. */
const MIB = 1024 * 1024;
const signal = new AbortController().signal;
const registry = new RegistryDouble();

class Member {
  readonly fixture: Fixture;
  readonly #seed: number;
  node!: TestNode;
  replication!: Replication;

  constructor(fixture: Fixture, seed: number) {
    this.fixture = fixture;
    this.#seed = seed;
  }

  async connect(): Promise<void> {
    const { store } = this.fixture;
    this.node = await startNode({ seed: this.#seed, registry, store });
    const { p2p } = this.node;
    this.replication = createReplication(
      {
        ...{ intervalMs: 10, retryMs: 0, batch: 16, parallel: 4, releaseRetryMaxMs: 100, tidyIntervalMs: 100 },
        ...{ checkIntervalMs: 3_600_000, checks: 4, offerIntervalMs: 3_600_000, auditIntervalMs: 3_600_000 },
      },
      {
        store,
        replicate: p2p.replicate,
        prove: p2p.prove,
        release: p2p.release,
        bring: p2p.bring,
        askShards: p2p.askShards,
        registered: () => registry.members(),
        self: () => this.node.peerId,
        held: store.held,
        isMember: (peer) => registry.isAuthorized(peer),
        isCurrent: () => true,
        members: p2p.members,
        draw: () => 0,
        log: createLogger({ level: 'silent' }),
        metrics: createMetrics(),
        now: Date.now,
      },
    );
  }

  disconnect = (): Promise<void> => this.node.p2p.stop();
}

let owner: Member;
let holders: Member[];
before(async () => {
  const create = async (seed: number): Promise<Member> => {
    const member = new Member(
      await createFixture({ replicas: 2, heldMaxBytes: 64 * MIB, heldPerOwnerMaxBytes: 64 * MIB }),
      seed,
    );
    await member.connect();
    return member;
  };
  owner = await create(210);
  holders = [await create(211), await create(212)];
});
after(async () => {
  for (const member of [owner, ...holders]) {
    await member.disconnect().catch(() => undefined);
    await member.fixture.close();
  }
});

async function until(done: () => Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < 3_000; look += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`never saw: ${what}`);
}

const heldBytes = (): number => holders.reduce((sum, { fixture }) => sum + fixture.store.held.bytes(), 0);

test('rm with all holders down is receipted after their return, across a restart of the owner', async () => {
  const records = [
    await put(owner.fixture.store, randomBytes(3 * MIB)),
    await put(owner.fixture.store, randomBytes(500)),
  ];
  const kept = await put(owner.fixture.store, randomBytes(700));
  const replicasOf = async ({ recordId }: { recordId: (typeof kept)['recordId'] }): Promise<number> =>
    (await owner.fixture.store.head(recordId, {}, context)).replicas.length;
  await until(async () => {
    await owner.replication.tick(signal);
    const counts = await Promise.all([...records, kept].map(replicasOf));
    return counts.every((count) => count === 2);
  }, 'two replicas of each');
  const full = heldBytes();
  assert.ok(full > 6 * MIB);

  for (const holder of holders) await holder.disconnect();
  for (const { recordId } of records) await owner.fixture.store.shred(recordId, context);
  await erased(owner.fixture.store);
  await owner.replication.release(signal);
  assert.equal(owner.fixture.store.condition().releases.pending, 4);
  await owner.disconnect();
  await owner.fixture.restart();
  await owner.connect();
  await owner.replication.release(signal);
  assert.equal(owner.fixture.store.condition().releases.pending, 4);
  assert.equal(heldBytes(), full);

  for (const holder of holders) {
    await holder.fixture.restart();
    await holder.connect();
  }
  await until(async () => {
    await owner.replication.release(signal);
    return owner.fixture.store.condition().releases.pending === 0;
  }, 'all receipts');
  const leaves = owner.fixture.audit.events.filter(({ type }) => type === 'replica.release');
  let bytes = 0;
  const told = new Map<string, Cid[]>();
  for (const { outcome, detail } of leaves) {
    assert.equal(outcome, 'success');
    const roots = String(detail?.ids).split(' ') as Cid[];
    const holder = holders.find(({ node }) => node.peerId === detail?.holder)?.node.peerId ?? assert.fail('a stranger');
    told.set(holder, [...(told.get(holder) ?? []), ...roots]);
    bytes += Number(detail?.bytes);
    // What the log keeps is all that is needed to verify what the holder signed.
    const parties = { l2ChainId: TEST_OPTIONS.l2ChainId, owner: owner.node.peerId, holder };
    const said = { epoch: Number(detail?.epoch), bytes: Number(detail?.bytes) };
    const signature = Buffer.from(String(detail?.receipt), 'base64');
    const request = { nonce: Buffer.from(String(detail?.nonce), 'hex'), roots };
    assert.ok(isReleaseReceipt(parties, request, { ...said, signature }));
  }
  const destroyed = records.map(({ cid }) => cid).toSorted();
  for (const { node } of holders) assert.deepEqual(told.get(node.peerId)?.toSorted(), destroyed);
  assert.equal(bytes, full - heldBytes());
  assert.equal(await replicasOf(kept), 2);
  assert.ok(heldBytes() < 4_000);
});
