import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createAllowance } from '../../../../appliance/p2p/allowance.ts';
import type { Hex, PeerIdText } from '../../../../protocol/brand.ts';
import {
  BATCH_REQUEST_BYTES,
  encodeBatchAnswer,
  encodeBatchRequest,
  parseBatchAnswer,
  parseBatchRequest,
} from '../../../../protocol/network/batch-exchange.ts';
import { connected, RegistryDouble, startNode, type TestNode, type TestNodeInput, until } from './hosts.ts';

const nodes: TestNode[] = [];
const { signal } = new AbortController();
const dataHash: Hex = `0x${'da'.repeat(32)}`;
after(async () => {
  await Promise.all(nodes.map((node) => node.p2p.stop()));
});

async function pair(seed: number, batches?: TestNodeInput['batches']): Promise<[TestNode, TestNode, RegistryDouble]> {
  const registry = new RegistryDouble();
  const asker = await startNode({ seed, registry });
  const keeper = await startNode({ seed: seed + 1, registry, ...(batches && { batches }) });
  nodes.push(asker, keeper);
  await until(() => connected(asker, keeper), 'connected');
  return [asker, keeper, registry];
}

test('a peer gives the data of the batch that was asked for, and says when it has none', async () => {
  const kept = new Uint8Array(500_000).fill(9);
  const asked: unknown[] = [];
  const [asker, keeper] = await pair(210, {
    find: async (batch) => {
      asked.push(batch);
      return batch.sequenceNumber === 5n ? kept : undefined;
    },
  });
  const given = await asker.p2p.askBatch(keeper.peerId, { sequenceNumber: 5n, dataHash }, signal);
  assert.ok(given && Buffer.compare(given, kept) === 0);
  assert.equal(await asker.p2p.askBatch(keeper.peerId, { sequenceNumber: 6n, dataHash }, signal), undefined);
  assert.deepEqual(asked, [
    { sequenceNumber: 5n, dataHash },
    { sequenceNumber: 6n, dataHash },
  ]);
});

test('a node without an archive does not know the protocol, and one that sends too much is cut off', async () => {
  const [asker, without] = await pair(220);
  await assert.rejects(asker.p2p.askBatch(without.peerId, { sequenceNumber: 1n, dataHash }, signal));
  const [other, flooding] = await pair(230, { find: async () => new Uint8Array(8 * 1024 * 1024) });
  await assert.rejects(other.p2p.askBatch(flooding.peerId, { sequenceNumber: 1n, dataHash }, signal), {
    code: 'NETWORK_FRAME_OVERSIZE',
  });
});

test('requests of one peer are bounded, and come back with time', () => {
  let now = 0;
  const isAllowed = createAllowance({ burst: 3, refillMs: 100 }, () => now);
  const [one, two] = ['one' as PeerIdText, 'two' as PeerIdText];
  assert.deepEqual([isAllowed(one), isAllowed(one), isAllowed(one), isAllowed(one)], [true, true, true, false]);
  assert.equal(isAllowed(two), true, 'another peer has its own');
  now = 99;
  assert.equal(isAllowed(one), false);
  now = 250;
  assert.deepEqual([isAllowed(one), isAllowed(one), isAllowed(one)], [true, true, false]);
});

test('a message has one encoding, and anything else is refused', () => {
  const request = { sequenceNumber: 2n ** 64n - 1n, dataHash };
  assert.deepEqual(parseBatchRequest(encodeBatchRequest(request)), request);
  for (const answer of [
    { type: 'data', encoded: Uint8Array.of(1, 2, 3) },
    { type: 'refused', reason: 'absent' },
    { type: 'refused', reason: 'busy' },
  ] as const) {
    assert.deepEqual(parseBatchAnswer(encodeBatchAnswer(answer)), answer);
  }
  const bad = { code: 'NETWORK_MESSAGE_INVALID' };
  for (const length of [0, 8, BATCH_REQUEST_BYTES - 1, BATCH_REQUEST_BYTES + 1]) {
    assert.throws(() => parseBatchRequest(new Uint8Array(length)), bad);
  }
  for (const bytes of [[], [2], [2, 9], [2, 0, 0], [7, 1]])
    assert.throws(() => parseBatchAnswer(Uint8Array.from(bytes)), bad);
});
