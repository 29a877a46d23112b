import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexlify, keccak256, toUtf8Bytes, ZeroHash } from 'ethers';
import {
  createNodeRegistry,
  NODE_REGISTRY,
  type NodeStatus,
} from '../../../../../appliance/rollup/registry/node-registry.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../../../protocol/errors.ts';
import { encodePeerId, peerIdOf } from '../../../../../protocol/network/node-identity.ts';
import { signNodeStatement } from '../../../../../protocol/network/node-statement.ts';

const L2_CHAIN_ID = 7n;
const SEED = new Uint8Array(32).fill(5);
const PEER = peerIdOf(ed25519.getPublicKey(SEED));
const OWNER: Hex = `0x${'a1'.repeat(20)}`;
const STATEMENT = signNodeStatement({ l2ChainId: L2_CHAIN_ID, owner: OWNER, operator: OWNER }, SEED);
const STATUSES: readonly string[] = ['none', 'applied', 'active', 'warned', 'suspended', 'ejected', 'left', 'draining'];
const DAY_S = 86_400n;
const MAX_REMEMBERED = 8;

const rootOf = (name: string): Hex => keccak256(toUtf8Bytes(name)) as Hex;

/** A chain whose registry has one node, of a status under each root of the contract's storage. */
function createFixture(statuses: Readonly<Record<string, NodeStatus>> = { first: 'active', second: 'ejected' }) {
  const fixture = {
    root: 'first',
    /** A block whose number does not matter. */
    head: { hash: rootOf('block 0'), timestamp: 1_000n },
    calls: 0,
    roots: 0,
    isBroken: false,
    /** Called before an answer, as time passes. */
    meanwhile: () => {},
    moveTo(name: string, seconds = 2n) {
      fixture.head = { hash: rootOf(name), timestamp: fixture.head.timestamp + seconds };
    },
  };
  const node = (status: string) => ({
    peerId: hexlify(encodePeerId(PEER)),
    addresses: [],
    owner: OWNER,
    operator: OWNER,
    kind: 1,
    status: STATUSES.indexOf(status),
    appliedAt: 0,
    attestedAt: 0,
    validUntil: 1_000n + DAY_S,
    ejectedAt: status === 'draining' ? 1_000n : 0,
    appealedAt: 0,
    auditor: OWNER,
    depositWei: 0,
    evidence: ZeroHash,
    attestation: ZeroHash,
    statement: STATEMENT,
  });
  const registry = createNodeRegistry(
    { l2ChainId: L2_CHAIN_ID, maxRemembered: MAX_REMEMBERED },
    {
      head: () => fixture.head,
      async call(_to, data) {
        fixture.calls += 1;
        await turn();
        fixture.meanwhile();
        if (fixture.isBroken) throw new NectarError('ROLLUP_STATE_MISSING', { hash: fixture.head.hash });
        const { name } = NODE_REGISTRY.parseTransaction({ data }) ?? {};
        const now = node(statuses[fixture.root] ?? 'none');
        const answers: Record<string, unknown> = {
          memberCount: 1n,
          membersPaged: [now],
          pendingCount: 0n,
          nodeOf: now,
          nodeById: now,
        };
        return NODE_REGISTRY.encodeFunctionResult(name ?? '', [answers[name ?? '']]) as Hex;
      },
      async storageRoot() {
        fixture.roots += 1;
        return rootOf(fixture.root);
      },
    },
  );
  return { fixture, registry };
}

test('asks nothing again while the contract holds the same, however many blocks come', async () => {
  const { fixture, registry } = createFixture();
  for (let block = 1; block <= 20; block++) {
    fixture.moveTo(`block ${block}`);
    assert.equal(await registry.isAuthorized(PEER), true);
    assert.equal((await registry.find(PEER, OWNER))?.status, 'active');
    assert.equal((await registry.members()).length, 1);
  }
  // The holder, the entry, the number of members and their one page.
  assert.equal(fixture.calls, 4);
  assert.equal(fixture.roots, 20);
});

test('asks anew once the contract holds something else, and again after a reorg', async () => {
  const { fixture, registry } = createFixture();
  assert.equal(await registry.isAuthorized(PEER), true);
  fixture.root = 'second';
  fixture.moveTo('an ejection');
  assert.equal(await registry.isAuthorized(PEER), false);
  fixture.root = 'first';
  fixture.moveTo('a reorg');
  assert.equal(await registry.isAuthorized(PEER), true);
  assert.equal(fixture.calls, 3);
});

test('an attestation lapses by the time of the head, though the contract writes nothing', async () => {
  const { fixture, registry } = createFixture();
  assert.equal((await registry.members()).length, 1);
  assert.equal((await registry.holder(PEER))?.status, 'active');
  fixture.moveTo('the last second of grace', 8n * DAY_S);
  assert.equal(await registry.isAuthorized(PEER), true);
  fixture.moveTo('one later', 1n);
  assert.equal((await registry.holder(PEER))?.status, 'suspended');
  assert.equal(await registry.isAuthorized(PEER), false);
  assert.deepEqual(await registry.members(), []);
});

test('what a block of the far future said is forgotten with it', async () => {
  const { fixture, registry } = createFixture({ first: 'suspended' });
  const before = fixture.head;
  fixture.moveTo('five years ahead', 1_800n * DAY_S);
  assert.equal((await registry.holder(PEER))?.status, 'suspended');
  const { calls } = fixture;
  fixture.head = before;
  await registry.holder(PEER);
  assert.equal(fixture.calls, calls + 1);
});

test('does not keep under an old root what a newer state answered', async () => {
  const { fixture, registry } = createFixture();
  fixture.meanwhile = () => {
    fixture.root = 'second';
    fixture.moveTo('a block that came while it was asked');
    fixture.meanwhile = () => {};
  };
  const before = fixture.head;
  await registry.isAuthorized(PEER);
  await turn();
  // L1 takes the newer block back: the chain is where it was.
  fixture.root = 'first';
  fixture.head = before;
  assert.equal(await registry.isAuthorized(PEER), true);
});

test('what could not be read is asked again', async () => {
  const { fixture, registry } = createFixture();
  fixture.isBroken = true;
  await assert.rejects(registry.holder(PEER), (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'));
  fixture.isBroken = false;
  assert.equal((await registry.holder(PEER))?.status, 'active');
});

test('questions about made-up entries fill no memory: the answers are forgotten at a bound', async () => {
  const { fixture, registry } = createFixture({});
  const madeUp = Array.from({ length: MAX_REMEMBERED + 1 }, (_, at): Hex => `0x${at.toString(16).padStart(40, '0')}`);
  for (const owner of madeUp) assert.equal(await registry.find(PEER, owner), undefined);
  const { calls } = fixture;
  await registry.find(PEER, madeUp.at(0) ?? OWNER);
  assert.equal(fixture.calls, calls + 1);
});

test('a draining node is ejected when its thirty days are over, without a word of the contract', async () => {
  const { registry, fixture } = createFixture({ first: 'draining' });
  assert.equal((await registry.holder(PEER))?.status, 'draining');
  assert.equal(await registry.isAuthorized(PEER), false);
  fixture.moveTo('the last second', 30n * DAY_S);
  assert.equal((await registry.holder(PEER))?.status, 'draining');
  fixture.moveTo('a second later', 1n);
  assert.equal((await registry.holder(PEER))?.status, 'ejected');
});
