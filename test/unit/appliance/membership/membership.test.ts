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
}

/** A node that signs as `me`, in a registry with one entry that an auditor passed and others by owner. */
function stand({ holder, entries = [] }: { holder?: Entry; entries?: readonly Entry[] }) {
  const sent: { data: Hex; valueWei: bigint }[] = [];
  const withId = (entry: Entry | undefined) => entry && { ...entry, nodeId: registryEntryId(peerId, entry.owner) };
  const find = async (_: string, owner: Hex) => withId([...entries, holder].find((entry) => entry?.owner === owner));
  const membership = createMembership({
    l2ChainId,
    peerId: () => peerId,
    identitySeed: async () => seed,
    addresses: () => ['/ip4/192.0.2.1/tcp/1'],
    registry: { find, holder: async () => withId(holder) },
    announced: { find },
    account: {
      address: () => me,
      send: async ({ data, valueWei = 0n }) => {
        sent.push({ data, valueWei });
        return '0xabcd';
      },
    },
    call: async () => AbiCoder.defaultAbiCoder().encode(['uint256'], [1_000n]) as Hex,
  });
  return { membership, sent };
}

const entry = (owner: Hex, operator: Hex, status: string): Entry => ({ owner, operator, status, addresses: [] });

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
  assert.equal(await membership.status(), 'none');
  await membership.join();
  assert.equal(sent.length, 1);
});

test('a peer that is registered for another account is a problem with a name, and no bare revert', async () => {
  const { membership, sent } = stand({ holder: entry(other, other, 'active') });
  assert.deepEqual(await membershipOf(membership), {
    membership: 'none',
    problem: `the registry has this peer for owner ${other} and operator ${other}, and this node signs as ${me}`,
  });
  await assert.rejects(membership.join(), { code: 'NETWORK_PEER_HELD' });
  assert.equal(sent.length, 0);
});

test('an owner may name this node’s account as operator', async () => {
  const { membership, sent } = stand({ holder: entry(other, me, 'active') });
  assert.deepEqual(await membershipOf(membership), { membership: 'active' });
  assert.deepEqual(await membership.join(), { membership: 'active', transaction: '0xabcd' });
  assert.equal(sent[0]?.data.slice(0, 10), registry.getFunction('setAddresses')?.selector);
});

test('who left applies again; who was ejected does not', async () => {
  const left = stand({ holder: entry(me, me, 'left') });
  assert.equal((await left.membership.join()).membership, 'applied');
  const ejected = stand({ holder: entry(me, me, 'ejected') });
  assert.deepEqual(await ejected.membership.join(), { membership: 'ejected' });
});
