import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interface } from 'ethers';
import { NodeRegistryAbi } from '../../../../contracts/generated/NodeRegistry.ts';
import { NODE_OF, NODE_REGISTRY, parseValidUntil } from '../../../../hardening/collectors/attestation.ts';
import { createClockCollector } from '../../../../hardening/collectors/clock.ts';
import { createLifeCollector } from '../../../../hardening/collectors/life.ts';
import type { NodeAnswer, NodeApi } from '../../../../hardening/collectors/node-api.ts';
import { createNodeStatusCollector } from '../../../../hardening/collectors/node-status.ts';
import { PREDEPLOYS } from '../../../../protocol/rollup/genesis.ts';
import { collect, failureOf, valuesOf } from './facts-of.ts';
import { json } from './fake-node.ts';

const NOW = Date.parse('2026-11-23T09:00:00Z');
const PEER = '12D3KooWJ7HcDQK5LgRC9vqtBrHKy1Vc5QpRcPrXGzJfVLBrCxRm';
const registry = new Interface([...NodeRegistryAbi]);
const READY = {
  ...{ ready: true, locked: false, reasons: [], l2: { unsafe: 9, safe: 8, finalized: 7 }, peers: 2, records: 3 },
  anchored: { records: 3, auditSize: 9, safeBlock: 8, pending: 1 },
  storage: { index: 'fresh', missing: 0, damaged: 0, pendingErasures: 0 },
  tokens: { revoked: 0, restored: 0 },
  custody: {
    ...{ repositories: 2, bytes: 500, fullestBytes: 301, quotaBytes: 1_000, refused: 0 },
    oldestAt: new Date(NOW - 3.5 * 86_400_000).toISOString(),
  },
  audit: { size: 9, root: '00'.repeat(32), epochs: [{ lost: 3 }, { lost: 0 }, {}], conflict: null, chain: 'held' },
};

/** A registered node as the contract's own ABI encodes it. */
function registered(validUntil: number): NodeAnswer {
  const zero = `0x${'00'.repeat(32)}`;
  const account = `0x${'11'.repeat(20)}`;
  const node = [
    '0x1234',
    ['/ip4/127.0.0.1/tcp/1'],
    account,
    account,
    1,
    2,
    5,
    6,
    validUntil,
    zero,
    account,
    zero,
    0,
    0,
    0,
    '0x',
  ];
  return json(200, { jsonrpc: '2.0', id: 1, result: registry.encodeFunctionResult('nodeOf', [node]) });
}

async function look(change: Record<string, NodeAnswer>, replicas = 2): Promise<Record<string, unknown>> {
  const answers: Record<string, NodeAnswer> = {
    '/v1/node': json(200, READY),
    '/v1/network': json(200, { membership: 'active', peerId: PEER }),
    '/rpc': registered(NOW / 1000 + 30 * 86_400 + 5),
    '/v1/records?limit=1000': json(200, { records: [{ replicas: ['a'] }, { replicas: ['a', 'b'] }], cursor: 'next' }),
    '/v1/records?limit=1000&cursor=next': json(200, { records: [{ replicas: [] }] }),
    ...change,
  };
  const api: NodeApi = { request: async ({ path }) => answers[path] ?? json(404, { code: 'ABSENT' }) };
  const settings = { effective: { store: { replicas } } };
  return valuesOf(await collect(createNodeStatusCollector({ settings, now: () => NOW }, { api })), 'node', 'node');
}

test('tells how the node is, and how long its attestation is good', async () => {
  assert.deepEqual(await look({}), {
    'node.ready': true,
    'node.locked': false,
    'node.membership': 'active',
    'node.attestationDaysLeft': 30,
    'node.peers': 2,
    'node.l1Synced': true,
    'node.records': 3,
    'node.indexCondition': 'fresh',
    'node.indexDamaged': 0,
    'node.keyList': 'fresh',
    'node.tokenList': 'newest',
    'node.auditChain': 'held',
    'node.auditGaps': 2,
    'node.custodyFullPercent': 31,
    'node.custodyOldestDays': 3,
    'node.underReplicated': 2,
    'node.anchoredRecordsPending': 1,
    'node.lockProbe': { absent: 'the node is unlocked' },
  });
});

test('tells lists of keys and tokens that were put back, damaged or taken away', async () => {
  const fault = (code: string) => [{ service: 'keys', reason: 'why', fault: { code, data: {} } }];
  const changed = { ...READY, ready: false, reasons: fault('KEY_STORE_BEHIND'), tokens: { found: 'missing' } };
  const seen = await look({ '/v1/node': json(200, changed) });
  assert.deepEqual([seen['node.keyList'], seen['node.tokenList']], ['behind', 'missing']);
  const damaged = await look({ '/v1/node': json(200, { ...READY, reasons: fault('KEY_STORE_INVALID') }) });
  assert.equal(damaged['node.keyList'], 'damaged');
});

test('a node that keeps no backups of others is not judged by them, and one at a quota of nothing is full', async () => {
  const keeps = async (custody: object) => {
    const seen = await look({ '/v1/node': json(200, { ...READY, custody: { ...READY.custody, ...custody } }) });
    return [seen['node.custodyFullPercent'], seen['node.custodyOldestDays']];
  };
  const none = { absent: 'this node keeps no backup repository of another one' };
  assert.deepEqual(await keeps({ repositories: 0, oldestAt: null }), [none, none]);
  assert.deepEqual(await keeps({ oldestAt: null, quotaBytes: 0 }), [
    100,
    { absent: 'no repository that this node keeps has a snapshot yet' },
  ]);
  assert.deepEqual((await keeps({ oldestAt: 'yesterday' }))[0], 31);
});

test('knows the registry and its question as the contracts have them', () => {
  assert.equal(NODE_REGISTRY, PREDEPLOYS.nodeRegistry);
  assert.equal(NODE_OF, registry.getFunction('nodeOf')?.selector);
  assert.throws(() => parseValidUntil('0x'), /something else/);
  assert.throws(() => parseValidUntil(`0x${'00'.repeat(32 * 13)}`), /something else/);
});

test('tells an attestation that has ended, and a node that has none', async () => {
  const ended = await look({ '/rpc': registered(NOW / 1000 - 1) });
  assert.equal(ended['node.attestationDaysLeft'], -1);
  const never = await look({ '/rpc': registered(0) });
  assert.deepEqual(never['node.attestationDaysLeft'], { absent: 'no auditor attested this node yet' });
});

test('asks a locked node for records, to see that it refuses', async () => {
  const node = json(200, {
    ...READY,
    ready: false,
    locked: true,
    l2: null,
    peers: null,
    records: null,
    anchored: null,
  });
  const refused = json(423, { code: 'KEY_LOCKED' });
  const locked = { '/v1/node': node, '/v1/records?limit=1': refused, '/v1/network': refused, '/rpc': refused };
  const seen = await look({ ...locked, '/v1/records?limit=1000': refused });
  assert.equal(seen['node.lockProbe'], true);
  assert.equal(seen['node.l1Synced'], false);
  assert.match((seen['node.records'] as { error: string }).error, /locked or starting/);
  assert.match((seen['node.membership'] as { error: string }).error, /423 KEY_LOCKED/);
  const open = await look({ '/v1/node': node, '/v1/records?limit=1': json(200, { records: [] }) });
  assert.equal(open['node.lockProbe'], false);
});

test('sees nothing of a node that does not run', async () => {
  const settings = { effective: {} };
  const facts = await collect(createNodeStatusCollector({ settings, now: () => NOW }, { api: undefined }));
  assert.match(failureOf(facts, 'node-status') ?? '', /does not run/);
});

test('counts days from the last backup and scrub, or from when the node was made', async () => {
  const notes = {
    createdAt: '2026-11-03T09:00:00Z',
    lastBackupAt: '2026-11-21T09:00:00Z',
    ...{ lastScrubAt: undefined, lastVerify: undefined, reportKey: undefined },
    hardening: { scheduled: true, lastReportAt: '2036-01-01T00:00:00Z' },
  };
  const seen = valuesOf(
    await collect(createLifeCollector({ notes, dataFolder: undefined, now: () => NOW })),
    'node',
    'node',
  );
  assert.equal(seen['node.lastBackupDays'], 2);
  assert.equal(seen['node.lastScrubDays'], 20);
  assert.match((seen['node.hardeningLastDays'] as { error: string }).error, /yet to come/);
  assert.deepEqual(seen['node.freeBytes'], { error: 'where the data lies cannot be seen from here' });
  assert.deepEqual(seen['node.reportKeyDays'], { absent: 'no report was signed yet' });
});

test('compares the clock with the first L1 endpoint that tells the time, and names no URL in full', async () => {
  const urls = ['https://silent.example/secret-key', 'https://slow.example'];
  const settings = { effective: { rollup: { l1RpcUrls: urls } }, descriptor: undefined };
  const offset = async (date: string | undefined): Promise<unknown> => {
    const request: typeof fetch = async (url) => {
      if (String(url).includes('silent') || date === undefined) throw new Error('no route');
      return new Response(null, { headers: { date } });
    };
    const facts = await collect(createClockCollector({ settings }, { now: () => NOW, fetch: request }));
    return valuesOf(facts, 'node', 'node')['node.clockOffsetMs'];
  };
  assert.equal(await offset(new Date(NOW).toUTCString()), 500);
  assert.equal(await offset(new Date(NOW - 90_000).toUTCString()), 89_500);
  const failed = (await offset(undefined)) as { error: string };
  assert.match(failed.error, /silent\.example: no route/);
  assert.ok(!failed.error.includes('secret-key'));
});
