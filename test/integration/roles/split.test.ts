import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CROSSING_VERSION } from '../../../appliance/crossing/version.ts';
import { until } from '../../e2e/workplace.ts';
import { ROLES, residentBytes, SplitNode, type SplitRole } from './split-node.ts';

const MIB = 1024 * 1024;
const node = new SplitNode();
before(() => node.create(), { timeout: 180_000 });
after(() => node.close());

/** What the CLI prints of its error. */
interface Problem {
  readonly code: string;
  readonly data: { readonly service?: string };
}

async function* pieces(count: number, piece: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield piece;
}

test('serves records, the log and the chain through the gateway', async () => {
  const content = randomBytes(3 * MIB + 17);
  const { recordId, auditLeaf } = await node.put(content);
  const whole = await node.call('GET', `/v1/records/${recordId}`);
  assert.ok(whole.bytes.equals(content));
  const range = await node.call('GET', `/v1/records/${recordId}`, { headers: { range: 'bytes=1048570-2097200' } });
  assert.equal(range.status, 206);
  assert.ok(range.bytes.equals(content.subarray(1_048_570, 2_097_201)));
  const listed = (await node.call('GET', '/v1/records?label=split&limit=10')).json<{
    records: { recordId: string }[];
  }>();
  assert.ok(listed.records.some((record) => record.recordId === recordId));
  assert.equal((await node.call('GET', `/v1/audit/entries/${auditLeaf}`)).json().index, auditLeaf);
  assert.ok((await node.call('GET', `/v1/audit/proof/${auditLeaf}`)).json().checkpoint);
  const car = await node.call('GET', `/v1/records/${recordId}/car`);
  assert.ok(car.status === 200 && car.bytes.length > content.length);
  const rpc = await node.call('POST', '/rpc', {
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }),
  });
  assert.match(String(rpc.json().result), /^0x[0-9a-f]+$/);
  assert.equal((await node.call('GET', '/v1/network/peers')).status, 200);
  assert.equal((await node.call('GET', '/v1/network')).json().membership, 'active');
  const scrub = (await node.call('POST', '/v1/scrub')).json<{ findings: unknown[]; evidenceLeaves: number }>();
  assert.deepEqual(scrub.findings, []);
  assert.ok(scrub.evidenceLeaves > 0);
  const rotated = (await node.call('POST', '/v1/keys/rotate')).json<{ rewrapped: number }>();
  assert.ok(rotated.rewrapped > 0);
  const receipt = await node.call('DELETE', `/v1/records/${recordId}`);
  assert.ok(receipt.json().signature);
  assert.equal((await node.call('GET', `/v1/records/${recordId}`)).json().code, 'STORE_RECORD_SHREDDED');
  assert.equal((await node.call('GET', `/v1/records/${'0'.repeat(32)}`)).status, 404);
  const verdict = (await node.call('POST', '/v1/audit/verify')).json();
  assert.equal(verdict.integrity, 'ok');
  assert.notEqual(verdict.completeness, 'violated');
});

test('each socket is where its mount will be, closed to others; secrets are in no log', () => {
  const sockets = join(node.home, 'run', 'sockets');
  const names = readdirSync(sockets).toSorted();
  assert.deepEqual(names, ['audit-append', 'audit-keys', 'audit-read', 'blocks', 'health', 'rollup', 'store']);
  for (const name of names.filter((each) => each !== 'health')) {
    const { mode } = statSync(join(sockets, name, 'nectar.sock'));
    assert.equal(mode & 0o777, 0o660, name);
  }
  const token = readFileSync(join(node.home, 'client', 'token'), 'utf8').trim();
  for (const role of ROLES) assert.equal(node.log(role).includes(token), false);
});

const IF_THERE = { throwIfNoEntry: false } as const;

test('what the roles write is for their owner alone, whatever a library would make of it', () => {
  const sockets = join(node.home, 'run', 'sockets');
  const open = readdirSync(node.home, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    // The index writes and removes files of its own meanwhile.
    .filter((path) => !path.startsWith(sockets) && ((statSync(path, IF_THERE)?.mode ?? 0) & 0o077) !== 0)
    .map((path) => path.slice(node.home.length + 1));
  assert.deepEqual(open.toSorted(), ['identity/public.json', 'tls/ca.crt', 'tls/server.crt']);
  assert.equal(statSync(join(sockets, 'store')).mode & 0o777, 0o770);
});

test('a role that is killed comes back without its neighbours, and nothing acknowledged is lost', async () => {
  const kept = randomBytes(2 * MIB);
  const { recordId } = await node.put(kept);
  for (const role of ['audit', 'store', 'rollup'] as const satisfies readonly SplitRole[]) {
    await node.end(role, 'SIGKILL');
    const down = await until(`/readyz to miss ${role}`, async () => {
      const state = await node.call('GET', '/readyz');
      return state.status === 503 ? state.json<{ reasons: { service: string; reason: string }[] }>() : undefined;
    });
    assert.ok(
      down.reasons.some(({ reason }) => reason.includes(role)),
      JSON.stringify(down),
    );
    const health = await node.place.run(['healthcheck', role, '--home', node.home]);
    assert.equal(health.code, 1, role);
    if (role !== 'rollup') {
      // Fail closed: without the log nothing private is served, without the store there is nothing to serve.
      const refused = (await node.call('GET', `/v1/records/${recordId}`)).json<Problem>();
      assert.ok(['NODE_NOT_READY', 'NODE_CONNECTION_LOST'].includes(refused.code), refused.code);
    }
    node.start(role);
    await node.ready();
    const read = await node.call('GET', `/v1/records/${recordId}`);
    assert.ok(read.bytes.equals(kept), `after ${role}`);
    await node.put(Buffer.from(role));
  }
  await node.end('gateway', 'SIGKILL');
  node.start('gateway');
  await node.ready();
  assert.ok((await node.call('GET', `/v1/records/${recordId}`)).bytes.equals(kept));
  const verdict = (await node.call('POST', '/v1/audit/verify')).json();
  assert.equal(verdict.integrity, 'ok');
});

test('a store killed under a download ends it as a failure, not as a short record', async () => {
  const { recordId } = await node.put(pieces(48, randomBytes(MIB)));
  const { body, headers } = await node.request('GET', `/v1/records/${recordId}`);
  let read = 0;
  await assert.rejects(async () => {
    for await (const part of body) {
      if (read === 0) await node.end('store', 'SIGKILL');
      read += (part as Buffer).length;
    }
  });
  assert.ok(read < Number(headers['content-length']));
  node.start('store');
  await node.ready();
});

test('a slow reader holds back the store; neither side keeps what it does not take', async () => {
  const bytes = 192 * MIB;
  const { recordId } = await node.put(pieces(192, randomBytes(MIB)));
  const { body } = await node.request('GET', `/v1/records/${recordId}`);
  const before = { store: residentBytes(node.pid('store')), gateway: residentBytes(node.pid('gateway')) };
  const reader = body[Symbol.asyncIterator]();
  let read = ((await reader.next()).value as Buffer).length;
  await sleep(2_000);
  for (const role of ['store', 'gateway'] as const) {
    const grown = residentBytes(node.pid(role)) - before[role];
    assert.ok(grown < 64 * MIB, `${role} grew by ${Math.round(grown / MIB)} MiB while nobody read`);
  }
  for (let next = await reader.next(); next.done !== true; next = await reader.next())
    read += (next.value as Buffer).length;
  assert.equal(read, bytes);
});

test('an upload that is cut in the middle leaves nothing', async () => {
  const before = (await node.call('GET', '/v1/node')).json().records;
  const abort = new AbortController();
  const hanging = (async function* () {
    yield* pieces(8, randomBytes(MIB));
    await sleep(300);
    abort.abort(new Error('the client left'));
    await sleep(60_000, undefined, { ref: false });
  })();
  const headers = { 'content-type': 'a/b' };
  await assert.rejects(node.request('POST', '/v1/records', { body: hanging, headers, signal: abort.signal }));
  const staging = join(node.home, 'store', 'staging');
  await until('the staged blocks to go', () => readdirSync(staging).length === 0 || undefined);
  assert.equal((await node.call('GET', '/v1/node')).json().records, before);
  const { findings } = (await node.call('POST', '/v1/scrub')).json<{ findings: unknown[] }>();
  assert.deepEqual(findings, []);
});

test('refuses a role of another version, by both numbers', async () => {
  const socketPath = join(node.home, 'run', 'sockets', 'store', 'nectar.sock');
  const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(
      { socketPath, path: '/state', method: 'POST', headers: { 'nectar-version': '999' } },
      (response) => {
        let text = '';
        response.on('data', (part) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject);
    asked.end('null');
  });
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(answer.text), {
    code: 'NODE_VERSION_SKEW',
    data: { service: 'store', ours: CROSSING_VERSION, theirs: 999 },
  });
});

test('two processes of one role do not share a home, nor a role and the whole node', async () => {
  for (const role of ['store', 'all']) {
    const { code, exit } = await node.place.error(['run', role, '--home', node.home]);
    assert.deepEqual([role, code, exit], [role, 'NODE_HOME_IN_USE', 10]);
  }
});

test('each role ends cleanly when it is told to', async () => {
  for (const role of ROLES.toReversed()) assert.equal(await node.end(role, 'SIGTERM'), 0, role);
});
