import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRlp, id, keccak256, toBeArray } from 'ethers';
import { createEndpointWatch } from '../../../../../appliance/rollup/l1/endpoint-watch.ts';
import { createEndpoints } from '../../../../../appliance/rollup/l1/endpoints.ts';
import { createJsonRpc } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

const { signal } = new AbortController();
const log = createLogger({ level: 'silent' });

/** A header of a chain of this name, with the hash that its fields give. */
function headerOf(chain: string, number: bigint): Record<string, string> & { hash: Hex } {
  const fields = {
    parentHash: id(`${chain} parent`),
    sha3Uncles: id('uncles'),
    miner: `0x${'ee'.repeat(20)}`,
    stateRoot: id(chain),
    transactionsRoot: id('transactions'),
    receiptsRoot: id('receipts'),
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: '0x0',
    number: `0x${number.toString(16)}`,
    gasLimit: '0x1c9c380',
    gasUsed: '0x0',
    timestamp: '0x6b03d7bb',
    extraData: '0x',
    mixHash: id('randao'),
    nonce: '0x0000000000000000',
    baseFeePerGas: '0x7',
  };
  const numbers = ['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas'];
  const rlp = Object.entries(fields).map(([name, value]) => (numbers.includes(name) ? toBeArray(value) : value));
  return { ...fields, hash: keccak256(encodeRlp(rlp)) as Hex };
}

interface Node {
  head: bigint;
  /** Which chain it serves at a number. */
  chain: (number: bigint) => string;
  down?: boolean;
  refuses?: number;
}

const honest = (head: bigint): Node => ({ head, chain: () => 'true' });

function setUp(nodes: readonly Node[], derivedHead: bigint) {
  const urls = nodes.map((_, index) => `https://user:secret@l1-${index}.example/key/abc?k=1`);
  const asked: number[] = [];
  const request = (async (url: string, init: { body: string }) => {
    const index = urls.indexOf(url);
    const node = nodes[index] as Node;
    const { id: requestId, params } = JSON.parse(init.body) as { id: number; params: [string] };
    asked.push(index);
    if (node.down) throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    if (node.refuses !== undefined) {
      return Response.json({ jsonrpc: '2.0', id: requestId, error: { code: node.refuses, message: 'limit exceeded' } });
    }
    const number = params[0] === 'latest' ? node.head : BigInt(params[0]);
    const result = number > node.head ? null : headerOf(node.chain(number), number);
    return Response.json({ jsonrpc: '2.0', id: requestId, result });
  }) as unknown as typeof fetch;
  const endpoints = createEndpoints(urls);
  const limits = { timeoutMs: 1_000, maxResponseBytes: 100_000 };
  const rpc = createJsonRpc({ urls, ...limits }, { fetch: request, endpoints });
  const watch = createEndpointWatch(
    { pollMs: 1, maxLag: 5n, depth: 16n },
    {
      endpoints,
      rpc,
      derived: { head: async () => derivedHead, hashAt: async (number) => headerOf('true', number).hash },
      log,
    },
  );
  const standings = () => endpoints.list().map(({ standing }) => standing);
  const call = async () => {
    asked.length = 0;
    await rpc.call('eth_getBlockByNumber', ['latest', false], signal).catch(() => undefined);
    return [...asked];
  };
  return { watch, endpoints, rpc, standings, call };
}

test('an endpoint that is behind is asked after the others, and first again once it has caught up', async () => {
  const behind = honest(990n);
  const { watch, standings, call, endpoints } = setUp([behind, honest(1_000n), honest(998n)], 1_000n);
  await watch.look(signal);
  assert.deepEqual(standings(), ['lagging', 'good', 'good']);
  assert.deepEqual(await call(), [1]);
  assert.deepEqual(
    endpoints.list().map(({ head, lag }) => [head, lag]),
    [
      [990n, 10n],
      [1_000n, 0n],
      [998n, 2n],
    ],
  );
  behind.head = 1_000n;
  await watch.look(signal);
  assert.deepEqual(standings(), ['good', 'good', 'good']);
});

test('an endpoint that contradicts what was verified is not asked, even when every other one is silent', async () => {
  const liar: Node = { head: 1_000n, chain: (number) => (number > 900n ? 'lie' : 'true') };
  const good = honest(1_000n);
  const { watch, standings, call, rpc } = setUp([liar, good], 1_000n);
  await watch.look(signal);
  assert.deepEqual(standings(), ['disagrees', 'good']);
  assert.deepEqual(await call(), [1]);
  good.down = true;
  assert.deepEqual(await call(), [1]);
  await assert.rejects(
    rpc.call('eth_blockNumber', [], signal),
    /nothing listens there; 1 other\(s\) contradict what was verified and are not asked/,
  );
  await watch.look(signal);
  assert.deepEqual(standings(), ['disagrees', 'silent']);
  liar.chain = () => 'true';
  await watch.look(signal);
  assert.deepEqual(standings(), ['good', 'silent'], 'it is asked again once it agrees');
});

test('one that the comparison alone asks says why it is silent', async () => {
  const { watch, endpoints } = setUp([honest(1_000n), { ...honest(1_000n), down: true }], 1_000n);
  await watch.look(signal);
  const [, silent] = endpoints.list();
  assert.deepEqual([silent?.standing, silent?.failures, silent?.problem], ['silent', 1, 'nothing listens there']);
});

test('an endpoint of another, longer chain makes nobody late', async () => {
  const other: Node = { head: 1_500n, chain: () => 'other' };
  const { watch, standings, endpoints } = setUp([honest(1_000n), other], 1_000n);
  await watch.look(signal);
  assert.deepEqual(standings(), ['good', 'disagrees']);
  assert.deepEqual(
    endpoints.list().map(({ head, lag }) => [head, lag]),
    [
      [1_000n, 0n],
      [1_500n, 0n],
    ],
  );
});

test('a reorg within the depth is nobody’s lie', async () => {
  const reorged: Node = { head: 1_000n, chain: (number) => (number > 990n ? 'other' : 'true') };
  const { watch, standings } = setUp([reorged, honest(1_000n)], 1_000n);
  await watch.look(signal);
  assert.deepEqual(standings(), ['good', 'good']);
});

test('a deep reorg is believed when every endpoint says so, and not by the word of one while others are silent', async () => {
  const replaced = (): Node => ({ head: 1_000n, chain: (number) => (number > 900n ? 'new' : 'true') });
  const all = setUp([replaced(), replaced()], 1_000n);
  await all.watch.look(signal);
  assert.deepEqual(all.standings(), ['good', 'good']);
  assert.equal(await all.watch.confirmsDeepReorg(signal), true);
  for (const other of [honest(1_000n), { ...honest(1_000n), down: true }]) {
    const { watch, standings } = setUp([replaced(), other], 1_000n);
    assert.equal(await watch.confirmsDeepReorg(signal), false);
    assert.equal(standings()[0], 'disagrees');
  }
  assert.equal(await setUp([replaced()], 1_000n).watch.confirmsDeepReorg(signal), true, 'a single endpoint is L1');
});

test('an endpoint whose limit is reached is passed over; statistics name no key', async () => {
  const { rpc, endpoints, call } = setUp([{ ...honest(5n), refuses: -32005 }, honest(5n)], 5n);
  assert.deepEqual(await call(), [0, 1]);
  const [first, second] = endpoints.list();
  assert.deepEqual([first?.failures, second?.answers], [1, 1]);
  assert.equal(first?.url, 'https://l1-0.example');
  assert.doesNotMatch(
    JSON.stringify(endpoints.list(), (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    /secret|abc|k=1/,
  );
  const limited = setUp([{ ...honest(5n), refuses: -32005 }], 5n);
  await assert.rejects(limited.rpc.call('eth_blockNumber', [], signal), { code: 'ROLLUP_L1_REFUSED' });
  await assert.rejects(rpc.callAt(0, 'eth_blockNumber', [], signal), { code: 'ROLLUP_L1_REFUSED' });
});

test('an endpoint that answers again has no problem any more', () => {
  const endpoints = createEndpoints(['http://a.example', 'http://b.example']);
  endpoints.failed(0, 'nothing listens there');
  assert.equal(endpoints.list()[0]?.problem, 'nothing listens there');
  endpoints.answered(0);
  const [state] = endpoints.list();
  assert.ok(state !== undefined && !('problem' in state));
  assert.deepEqual([state.answers, state.failures], [1, 1]);
});
