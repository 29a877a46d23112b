import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { byPassphrase } from '../../../appliance/keys/index.ts';
import { gradePairs } from '../../../cli/provision/kubernetes/check-pairs.ts';
import { createHome } from '../../../cli/provision/process/create-home.ts';
import { until } from '../../e2e/workplace.ts';
import { ClusterNode } from './cluster-node.ts';
import { assertLogAlike } from './log-alike.ts';

const node = new ClusterNode();
const GATEWAYS = ['gateway-0', 'gateway-1'] as const;
const PASSPHRASE = 'correct horse battery staple of the clinic';
const json = { 'content-type': 'application/json' };

before(
  async () => {
    await node.prepare();
    // As a cluster does it: in no order.
    for (const pod of [...GATEWAYS, 'store', 'audit'] as const) node.start(pod);
  },
  { timeout: 60_000 },
);
after(() => node.close());

describe('a node in a cluster, whose volumes are empty', () => {
  test('waits until every role with a volume has said that it belongs to no other node', async () => {
    await node.until('store', /rollup is not ready: it has not said what its volume belongs to/);
    await node.until('audit', /store is not ready: it has not said which node this is/);
    await node.until('gateway-0', /rollup is not ready: it has not said/);
  });

  test('makes its keys under the root key, and every role learns which node it is', async () => {
    const told = await node.introduceRollup();
    for (const pod of ['store', 'audit', ...GATEWAYS] as const) await node.until(pod);
    assert.deepEqual(node.identity('store', 'keys'), told);
    assert.deepEqual(node.identity('audit', 'audit'), told);
    const status = await until('the first token to be taken', async () => {
      const answer = await node.call('gateway-1', '/v1/node');
      return answer.status === 200 ? answer : undefined;
    });
    assert.equal(status.json().nodeId, told.nodeId);
  });

  test('puts on record that the first token was taken', async () => {
    const entries = await node.call('gateway-0', '/v1/audit/entries?limit=100');
    assert.equal(entries.status, 200, entries.bytes.toString());
    assert.match(entries.bytes.toString(), /"token\.create"/);
    const { tokens } = (await node.call('gateway-0', '/v1/tokens')).json() as { tokens: { subject: string }[] };
    assert.deepEqual(
      tokens.map(({ subject }) => subject),
      ['bootstrap'],
    );
    assert.doesNotMatch(JSON.stringify(tokens), new RegExp(node.bootstrap));
  });
});

test('every role tells how long its certificate holds and how full its volume is, through any gateway', async () => {
  const ofRole = (role: string) =>
    new RegExp(`^nectar_crossing_certificate_lifetime_seconds\\{.*role="${role}".*\\} [1-9]`, 'm');
  const metrics = await until('the metrics of every role', async () => {
    const text = (await node.call('gateway-0', '/v1/metrics')).bytes.toString();
    return ['store', 'audit', 'gateway'].every((role) => ofRole(role).test(text)) ? text : undefined;
  });
  assert.match(metrics, /^nectar_volume_free_bytes\{.*role="store".*\} \d/m);
  assert.deepEqual(
    gradePairs(metrics).map(({ name, grade }) => [name, grade]),
    [['certificates between roles', 'good']],
  );
});

describe('two gateways', () => {
  test('serve what was put at the other', async () => {
    const content = randomBytes(100_000);
    const headers = { 'content-type': 'application/octet-stream' };
    const put = await node.call('gateway-0', '/v1/records', { method: 'POST', headers, body: content });
    assert.equal(put.status, 201, put.bytes.toString());
    const got = await node.call('gateway-1', `/v1/records/${put.json().recordId}`);
    assert.ok(got.bytes.equals(content));
  });

  test('refuse a token once it was revoked at the other', async () => {
    const made = await node.call('gateway-0', '/v1/tokens', {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ subject: 'clinic', scope: ['records:read'], expiresInSeconds: 3600 }),
    });
    const { token, id } = made.json() as { token: string; id: string };
    const list = (pod: 'gateway-0' | 'gateway-1') => node.call(pod, '/v1/records?limit=1', { token });
    await until(
      'the other gateway to know the token',
      async () => (await list('gateway-1')).status === 200 || undefined,
    );
    const revoked = await node.call('gateway-1', `/v1/tokens/${id}`, { method: 'DELETE' });
    assert.ok(revoked.status < 300, revoked.bytes.toString());
    assert.equal((await list('gateway-1')).json().code, 'GATEWAY_TOKEN_REVOKED');
    // A copy is believed for half a second (shared.test.ts has the bound on an injected clock).
    await until('the other gateway to refuse it', async () => (await list('gateway-0')).status === 401 || undefined);
  });

  test('go on with an upload that was begun at the other', async () => {
    const content = randomBytes(300_000);
    const tus = { 'tus-resumable': '1.0.0' };
    const begun = await node.call('gateway-0', '/v1/uploads', {
      method: 'POST',
      headers: { ...tus, 'upload-length': String(content.length) },
    });
    const location = begun.headers.get('location') ?? '';
    const send = (pod: 'gateway-0' | 'gateway-1', from: number, to: number) =>
      node.call(pod, location, {
        method: 'PATCH',
        headers: { ...tus, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' },
        body: content.subarray(from, to),
      });
    assert.equal((await send('gateway-0', 0, 100_000)).status, 204);
    const state = await node.call('gateway-1', location, { method: 'HEAD', headers: tus });
    const offset = Number(state.headers.get('upload-offset'));
    const done = await send('gateway-1', offset, content.length);
    assert.equal(done.status, 204, done.bytes.toString());
    const got = await node.call('gateway-0', `/v1/records/${done.headers.get('x-nectar-record-id')}`);
    assert.ok(got.bytes.equals(content));
  });

  test('log alike, whichever is told', () => assertLogAlike(node));

  test('give a repeated put its first receipt, at whichever it arrives', async () => {
    const put = (pod: 'gateway-0' | 'gateway-1') =>
      node.call(pod, '/v1/records', { method: 'POST', headers: { 'idempotency-key': 'once' }, body: 'the same' });
    const [first, second] = [await put('gateway-0'), await put('gateway-1')];
    assert.equal(second.json().recordId, first.json().recordId);
    assert.equal(second.headers.get('idempotency-replayed'), 'true');
  });
});

test('a full volume of the store shows in its readiness, and at the gateways, and passes by itself', async () => {
  const put = await node.call('gateway-0', '/v1/records', { method: 'POST', body: 'kept' });
  assert.equal(put.status, 201, put.bytes.toString());
  const path = `/v1/records/${put.json().recordId}`;
  // A connection that ended with the store is 503, once.
  const answered = (ask: () => ReturnType<typeof node.call>) =>
    until('the store to answer', async () => {
      const answer = await ask();
      return answer.status === 503 ? undefined : answer;
    });
  await node.end('store');
  node.start('store', { NECTAR_STORE_MIN_FREE_BYTES: String(2 ** 50) });
  await node.until('store', /store: the volume is full/);
  await until(
    'a gateway that says so',
    async () => (await node.call('gateway-1', '/readyz')).bytes.toString().includes('the volume is full') || undefined,
  );
  const refused = await answered(() => node.call('gateway-1', '/v1/records', { method: 'POST', body: 'no room' }));
  assert.deepEqual([refused.status, refused.json().code], [507, 'NODE_DISK_FULL']);
  const read = await answered(() => node.call('gateway-0', path));
  assert.deepEqual([read.status, read.bytes.toString()], [200, 'kept']);
  await node.end('store');
  node.start('store');
  await node.until('store');
});

describe('a volume that is not the node’s', () => {
  test('is told from a new node: an empty one beside full ones is lost, and comes back by itself', async () => {
    const { nodeId } = node.identity('store', 'keys');
    await node.end('store');
    node.swap('store/keys', 'kept-keys');
    node.start('store');
    await node.introduceRollupOnce();
    await node.until('store', new RegExp(`volume of the audit belongs to node ${nodeId}: a volume is lost`));
    assert.equal((await node.health('store')).alive, true);
    node.putBack('store/keys', 'kept-keys');
    await node.until('store');
    assert.equal(node.identity('store', 'keys').nodeId, nodeId);
  });

  test('is refused when keys of another node are mounted to be adopted, and nothing is changed', async () => {
    const mine = node.identity('store', 'keys');
    const other = new ClusterNode();
    try {
      await other.prepare();
      for (const pod of ['store', 'audit'] as const) other.start(pod);
      const theirs = await other.introduceRollup();
      await node.end('store');
      node.start('store', { NECTAR_ADOPT: other.path('store', 'keys') });
      await node.until(
        'store',
        new RegExp(`belongs to node ${theirs.nodeId}, and the store's keys to node ${mine.nodeId}`),
      );
      assert.deepEqual(node.identity('store', 'keys'), mine);
      await node.end('store');
      node.start('store');
      await node.until('store');
      // The log of another node takes no keys of ours.
      await assert.rejects(node.introduceRollup(theirs), { code: 'NODE_IDENTITY_DIFFERENT' });
    } finally {
      await other.close();
    }
  });
});

test('an empty volume of the store, beside keys to adopt, is no healthy empty node: the log knows what it lacks', async () => {
  await node.end('store');
  node.swap('store/keys', 'kept-keys-2');
  node.swap('store/store', 'kept-records');
  node.start('store', { NECTAR_ADOPT: node.path('kept-keys-2') });
  await node.introduceRollup(node.identity('audit', 'audit'));
  await node.until('store', /the index is an older copy \(generation 0, /);
  await node.end('store');
  node.putBack('store/keys', 'kept-keys-2');
  node.putBack('store/store', 'kept-records');
  node.start('store');
  for (const pod of ['store', 'audit'] as const) await node.until(pod);
});

describe('an empty volume in place of the log’s', () => {
  const MISSING = /the audit volume of the node is missing: the volume with the mark ([0-9a-f]{32}) is empty/;
  const leavesOf = () => readdirSync(node.path('audit', 'audit')).filter((name) => name !== 'lock');
  const markOf = () =>
    JSON.parse(readFileSync(node.path('store', 'keys', 'audit-volume.json'), 'utf8')) as {
      id: string;
      emptiedAt?: string;
    };

  test('gets no keys and no identity, so that no second log is signed, until the right one is back', async () => {
    for (const pod of ['store', 'audit'] as const) await node.until(pod);
    await node.end('audit');
    node.swap('audit/audit', 'kept-log');
    node.start('audit');
    await node.until('store', MISSING);
    assert.equal(MISSING.exec((await node.health('store')).reason)?.[1], markOf().id);
    await node.until('audit', /it has not said which node this is/);
    assert.deepEqual(leavesOf(), []);
    await node.end('audit');
    node.putBack('audit/audit', 'kept-log');
    node.start('audit');
    for (const pod of ['store', 'audit'] as const) await node.until(pod);
    assert.equal(markOf().emptiedAt, undefined);
  });

  test('begins anew only for whoever names the mark of what was lost, once', async () => {
    const lost = markOf().id;
    for (const pod of ['store', 'audit'] as const) await node.end(pod);
    node.swap('audit/audit', 'kept-log-2');
    node.start('audit');
    node.start('store', { NECTAR_START_EMPTY: `audit:${'0'.repeat(32)}` });
    await node.until('store', MISSING);
    await node.end('store');
    node.start('store', { NECTAR_START_EMPTY: `audit:${lost}` });
    await until('a log that has begun', async () => leavesOf().includes('public.json') || undefined);
    // The records are of another log: the store says so too, and waits for an operator.
    await node.until('store', /which is not in the log of \d+ leaves/);
    const { id, emptiedAt } = markOf();
    assert.ok(id !== lost && emptiedAt !== undefined);
    for (const pod of ['store', 'audit'] as const) await node.end(pod);
    rmSync(node.path('audit', 'audit'), { recursive: true });
    mkdirSync(node.path('audit', 'audit'));
    node.start('audit');
    node.start('store', { NECTAR_START_EMPTY: `audit:${lost}` });
    await node.until('store', MISSING);
    for (const pod of ['store', 'audit'] as const) await node.end(pod);
    node.putBack('audit/audit', 'kept-log-2');
    for (const pod of ['store', 'audit'] as const) node.start(pod);
    for (const pod of ['store', 'audit'] as const) await node.until(pod);
  });
});

describe('a node whose keys were made elsewhere, with a passphrase', () => {
  test('is adopted, known while it is locked, and unlocked through the API', async () => {
    const adopted = new ClusterNode();
    try {
      await adopted.prepare({ keyFile: '' });
      const home = adopted.path('made-by-init');
      const made = await createHome(
        {
          ...{ home, enrol: byPassphrase(Buffer.from(PASSPHRASE)), config: { version: 1 }, names: [], now: Date.now },
          ...{ descriptor: new Uint8Array(0), signal: new AbortController().signal },
        },
        () => undefined,
      );
      const token = readFileSync(join(home, 'client', 'token'), 'utf8').trim();
      for (const pod of ['store', 'audit', 'gateway-0'] as const) adopted.start(pod, { NECTAR_ADOPT: home });
      assert.deepEqual(await adopted.introduceRollup(), made);
      await adopted.until('gateway-0');
      const before = await adopted.call('gateway-0', '/v1/node', { token });
      assert.deepEqual([before.status, before.json().locked], [200, true], before.bytes.toString());
      assert.equal((await adopted.call('gateway-0', '/v1/records', { token })).json().code, 'KEY_LOCKED');
      const unlocked = await adopted.call('gateway-0', '/v1/unlock', {
        ...{ token, method: 'POST', headers: json, body: JSON.stringify({ passphrase: PASSPHRASE }) },
      });
      assert.equal(unlocked.status, 200, unlocked.bytes.toString());
      await adopted.until('store');
      await adopted.until('audit');
      const put = await adopted.call('gateway-0', '/v1/records', { token, method: 'POST', body: 'kept' });
      assert.equal(put.status, 201, put.bytes.toString());
    } finally {
      await adopted.close();
    }
  });
});
