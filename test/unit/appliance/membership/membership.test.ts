import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { AbiCoder, Interface } from 'ethers';
import { createMembership, membershipOf } from '../../../../appliance/membership/index.ts';
import { NodeRegistryAbi } from '../../../../contracts/generated/NodeRegistry.ts';
import type { Hex } from '../../../../protocol/brand.ts';
import { peerIdOf, registryEntryId } from '../../../../protocol/network/node-identity.ts';
import { isStatementOf } from '../../../../protocol/network/node-statement.ts';

const registry = new Interface([...NodeRegistryAbi]);
const seed = new Uint8Array(32).fill(5);
const peerId = peerIdOf(ed25519.getPublicKey(seed));
const me: Hex = `0x${'aa'.repeat(20)}`;
const other: Hex = `0x${'bb'.repeat(20)}`;
const l2ChainId = 6_328_270n;

interface Entry {
  readonly owner: Hex;
  readonly operator: Hex;
  readonly status: string;
  readonly addresses: readonly string[];
  readonly validUntil: bigint;
  readonly ejectedAt: bigint;
  readonly appealedAt: bigint;
}

const NEVER = { validUntil: 0n, ejectedAt: 0n, appealedAt: 0n };

/** A node that signs as `me`, in a registry with one entry that an auditor passed and others by owner. */
function stand({ holder, entries = [], announced }: { holder?: Entry; entries?: readonly Entry[]; announced?: Entry }) {
  const sent: { data: Hex; valueWei: bigint }[] = [];
  const withId = (entry: Entry | undefined) => entry && { ...entry, nodeId: registryEntryId(peerId, entry.owner) };
  const find = async (_: string, owner: Hex) => withId([...entries, holder].find((entry) => entry?.owner === owner));
  const membership = createMembership({
    l2ChainId,
    peerId: () => peerId,
    identitySeed: async () => seed,
    addresses: () => ['/ip4/192.0.2.1/tcp/1'],
    registry: { find, holder: async () => withId(holder) },
    announced: { find: async (...of) => (announced === undefined ? find(...of) : withId(announced)) },
    account: {
      address: () => me,
      send: async ({ data, valueWei = 0n }) => {
        sent.push({ data, valueWei });
        return '0xabcd';
      },
    },
    now: () => 0,
    call: async () => AbiCoder.defaultAbiCoder().encode(['uint256'], [1_000n]) as Hex,
  });
  return { membership, sent };
}

const entry = (owner: Hex, operator: Hex, status: string): Entry => ({
  ...{ owner, operator, status, addresses: [] },
  ...NEVER,
});

test('an application carries a statement of the peer key over owner, operator and chain, and the deposit', async () => {
  const { membership, sent } = stand({});
  assert.deepEqual(await membership.join(), { membership: 'applied', transaction: '0xabcd' });
  const [application] = registry.decodeFunctionData('submitApplication', sent[0]?.data ?? '0x');
  assert.equal(application.statement.length, 2 + 128);
  const statement = { l2ChainId, owner: me, operator: me };
  assert.ok(isStatementOf(peerId, statement, application.statement));
  for (const lie of [{ l2ChainId: 1n }, { owner: other }, { operator: other }]) {
    assert.ok(!isStatementOf(peerId, { ...statement, ...lie }, application.statement));
  }
  assert.ok(!isStatementOf(peerId, statement, `0x${'00'.repeat(64)}`));
  assert.ok(!isStatementOf(peerId, statement, '0xzz'));
  assert.equal(sent[0]?.valueWei, 1_500n, 'half more than asked: others may apply in the same block');
});

test('a squatter that applied with this peer id stands in nobody’s way', async () => {
  const { membership, sent } = stand({ entries: [entry(other, other, 'applied')] });
  assert.deepEqual(await membership.standing(), { status: 'none' });
  await membership.join();
  assert.equal(sent.length, 1);
});

test('a peer that is registered for another account is a problem with a name, and no bare revert', async () => {
  const { membership, sent } = stand({ holder: entry(other, other, 'active') });
  assert.deepEqual(await membershipOf(membership), {
    membership: 'none',
    standing: { status: 'none' },
    problem: `the registry has this peer for owner ${other} and operator ${other}, and this node signs as ${me}`,
  });
  await assert.rejects(membership.join(), { code: 'NETWORK_PEER_HELD' });
  assert.equal(sent.length, 0);
});

test('an owner may name this node’s account as operator', async () => {
  const { membership, sent } = stand({ holder: entry(other, me, 'active') });
  assert.deepEqual(await membershipOf(membership), {
    membership: 'active',
    standing: { status: 'active', validUntil: '1970-01-01T00:00:00.000Z', endsAt: '1970-01-08T00:00:00.000Z' },
  });
  assert.deepEqual(await membership.join(), { membership: 'active', transaction: '0xabcd' });
  assert.equal(sent[0]?.data.slice(0, 10), registry.getFunction('setAddresses')?.selector);
});

test('who left applies again; who was ejected does not', async () => {
  const left = stand({ holder: entry(me, me, 'left') });
  assert.equal((await left.membership.join()).membership, 'applied');
  const ejected = stand({ holder: entry(me, me, 'ejected') });
  assert.deepEqual(await ejected.membership.join(), { membership: 'ejected' });
});

const DAY = 86_400n;

test('says until when a member, a draining node and one that appealed are what they are', async () => {
  const standing = (times: Partial<Entry> & { status: string }) =>
    stand({ holder: { ...entry(me, me, times.status), ...times } }).membership.standing();
  assert.deepEqual(await standing({ status: 'warned', validUntil: 10n * DAY }), {
    status: 'warned',
    validUntil: '1970-01-11T00:00:00.000Z',
    endsAt: '1970-01-18T00:00:00.000Z',
  });
  assert.deepEqual(await standing({ status: 'draining', ejectedAt: DAY }), {
    status: 'draining',
    drainsUntil: '1970-02-01T00:00:00.000Z',
    appealUntil: '1970-01-16T00:00:00.000Z',
  });
  assert.deepEqual(await standing({ status: 'ejected', ejectedAt: DAY, appealedAt: 2n * DAY }), {
    status: 'ejected',
    appealedAt: '1970-01-03T00:00:00.000Z',
  });
  assert.deepEqual(await standing({ status: 'suspended', validUntil: DAY }), { status: 'suspended' });
});

test('leaves by its own entry alone', async () => {
  const { membership, sent } = stand({ holder: entry(me, me, 'active') });
  assert.deepEqual(await membership.leave(), { membership: 'active', transaction: '0xabcd' });
  const [nodeId] = registry.decodeFunctionData('leaveNetwork', sent[0]?.data ?? '0x');
  assert.equal(nodeId, registryEntryId(peerId, me));
  const refused = [
    stand({}),
    stand({ holder: entry(other, me, 'active') }),
    ...['left', 'draining', 'ejected'].map((status) => stand({ holder: entry(me, me, status) })),
  ];
  for (const one of refused) {
    await assert.rejects(one.membership.leave(), { code: 'NETWORK_LEAVE_REFUSED' });
    assert.equal(one.sent.length, 0);
  }
});

test('addresses that changed are sent once, and by no one who is out', async () => {
  const moved = { ...entry(me, me, 'active'), addresses: ['/ip4/192.0.2.9/tcp/1'] };
  const { membership, sent } = stand({ holder: moved });
  assert.equal(await membership.keepAddresses(), '0xabcd');
  assert.equal(sent[0]?.data.slice(0, 10), registry.getFunction('setAddresses')?.selector);
  const current = { ...moved, addresses: ['/ip4/192.0.2.1/tcp/1'] };
  assert.equal(await stand({ holder: moved, announced: current }).membership.keepAddresses(), undefined);
  assert.equal(await stand({ holder: current }).membership.keepAddresses(), undefined);
  assert.equal(await stand({ holder: { ...moved, status: 'draining' } }).membership.keepAddresses(), '0xabcd');
  for (const status of ['left', 'ejected'])
    assert.equal(await stand({ holder: { ...moved, status } }).membership.keepAddresses(), undefined);
  assert.equal(await stand({}).membership.keepAddresses(), undefined);
});
