import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import * as auditSchemas from '../../../../appliance/gateway/audit-schemas.ts';
import * as keySchemas from '../../../../appliance/gateway/key-schemas.ts';
import * as nodeSchemas from '../../../../appliance/gateway/node-schemas.ts';
import * as recordSchemas from '../../../../appliance/gateway/record-schemas.ts';
import * as tokenSchemas from '../../../../appliance/gateway/token-schemas.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { NODE_ID } from './doubles.ts';
import { assertProblem, eventually, type Harness, received, startHarness } from './harness.ts';

describe('the gateway', () => {
  let h: Harness;
  before(async () => {
    const waits = { bodyTimeoutMs: 300, headersTimeoutMs: 400, maxQueueMs: 300 };
    h = await startHarness({ maxDenialsPerMinute: 1000, maxRequests: 3, ...waits });
  });
  after(() => h.stop());
  afterEach(() => {
    Object.assign(h.node, { state: 'unlocked', ready: true });
    h.store.putGate = undefined;
    h.audit.fail = undefined;
  });

  describe('requests out of shape', () => {
    it('become problems', async () => {
      const token = await h.token('admin');
      const json = (body: string, type = 'application/json') =>
        h.call('POST', '/v1/tokens', { token, body, headers: { 'content-type': type } });
      assertProblem(await json('{"broken":'), 400, 'GATEWAY_REQUEST_MALFORMED');
      assertProblem(await json(''), 400, 'GATEWAY_REQUEST_MALFORMED');
      assertProblem(await json('{"__proto__":{"a":1}}'), 400, 'GATEWAY_REQUEST_MALFORMED');
      assertProblem(await json('{}', 'text/plain'), 415, 'GATEWAY_MEDIA_TYPE_UNSUPPORTED');
      assertProblem(await json(JSON.stringify({ subject: 'a'.repeat(70_000) })), 413, 'GATEWAY_BODY_TOO_LARGE');
      for (const value of [
        [],
        1,
        null,
        {},
        { subject: 'a', scope: [] },
        { subject: 'a', scope: ['root'] },
        { subject: 'a', scope: ['rpc'], extra: 1 },
        { subject: 'a', scope: ['rpc'], expiresInSeconds: '60' },
        { subject: 'a b', scope: ['rpc'] },
      ]) {
        assertProblem(await json(JSON.stringify(value)), 400, 'GATEWAY_REQUEST_INVALID');
      }
    });

    it('find no route, or no method', async () => {
      assertProblem(await h.call('GET', '/v1/nothing'), 404, 'GATEWAY_ROUTE_ABSENT');
      assertProblem(await h.call('GET', '/v1/records/../../etc/passwd'), 404, 'GATEWAY_ROUTE_ABSENT');
      const wrong = await h.call('PATCH', `/v1/records/${NODE_ID}`);
      assertProblem(wrong, 405, 'GATEWAY_METHOD_UNSUPPORTED');
      assert.deepEqual(String(wrong.headers.allow).split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'PUT']);
      assertProblem(await h.call('GET', '/v1/%ff'), 400, 'GATEWAY_REQUEST_MALFORMED');
      assertProblem(await h.call('GET', `/v1/records/${'a'.repeat(200)}`), 400, 'GATEWAY_REQUEST_MALFORMED');
    });

    const raw = async (text: string): Promise<string> => {
      const socket = await h.dial();
      const answer = received(socket);
      socket.write(text);
      return answer;
    };

    it('are answered below HTTP too', async () => {
      assert.match(await raw('not http at all\r\n\r\n'), /^HTTP\/1.1 400 [\s\S]*GATEWAY_REQUEST_MALFORMED/);
      assert.match(
        await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`),
        /^HTTP\/1.1 431 [\s\S]*GATEWAY_HEADERS_TOO_LARGE/,
      );
      const smuggled =
        'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /';
      assert.match(await raw(smuggled), /^HTTP\/1.1 400 /);
    });

    it('have to begin: a connection that says nothing is closed', async () => {
      const socket = await h.dial();
      assert.match(await received(socket), /^(HTTP\/1.1 408 [\s\S]*)?$/);
    });

    it('cannot be slow with their headers, nor with a JSON body', async () => {
      assert.match(
        await raw('GET /healthz HTTP/1.1\r\nHost: localhost\r\n'),
        /^HTTP\/1.1 408 [\s\S]*GATEWAY_REQUEST_TIMEOUT/,
      );
      const token = await h.token('admin');
      const head = `POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`;
      assert.equal((await raw(head)).includes('201'), false);
    });
  });

  it('bounds the requests served at a time and the time that others wait, and keeps answering probes', async () => {
    const token = await h.token('admin');
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const begun = h.store.puts;
    const running = [1, 2, 3].map(() => h.call('POST', '/v1/records', { token, body: 'x' }));
    await eventually(() => h.store.puts === begun + 3, 'three requests run');
    const refused = await h.call('GET', '/v1/node', { token });
    assertProblem(refused, 429, 'GATEWAY_TOKEN_BUSY');
    assert.equal(refused.headers['retry-after'], '1');
    const stranger = await h.tokens.issue({ subject: 'other', scope: ['node:read'], expiresInSeconds: 60 });
    assertProblem(await h.call('GET', '/v1/node', { token: stranger.token }), 503, 'GATEWAY_BUSY');
    assert.equal((await h.call('GET', '/healthz')).status, 200);
    open();
    await Promise.all(running);
    assert.equal((await h.call('GET', '/v1/node', { token })).status, 200);
  });

  it('answers node, network, keys and audit in the shapes declared', async () => {
    const token = await h.token('admin');
    for (const [method, path, schema] of [
      ['GET', '/v1/node', nodeSchemas.NodeStatus],
      ['GET', '/v1/network', nodeSchemas.NetworkInfo],
      ['GET', '/v1/network/peers', nodeSchemas.PeerList],
      ['POST', '/v1/network/join', nodeSchemas.JoinResult],
      ['POST', '/v1/network/leave', nodeSchemas.LeaveResult],
      ['GET', '/v1/keys', keySchemas.KeyList],
      ['POST', '/v1/keys/rotate', keySchemas.RotationResult],
      ['POST', '/v1/scrub', recordSchemas.ScrubReport],
      ['GET', '/v1/audit/checkpoint', auditSchemas.AuditCheckpoint],
      ['GET', '/v1/audit/entries?limit=2', auditSchemas.AuditEntries],
      ['GET', '/v1/audit/entries/1', auditSchemas.AuditEntry],
      ['GET', '/v1/audit/proof/1', auditSchemas.AuditProof],
      ['POST', '/v1/audit/verify', auditSchemas.AuditVerdict],
      ['GET', '/v1/records', recordSchemas.RecordPage],
      ['GET', '/v1/tokens', tokenSchemas.TokenList],
    ] as const) {
      const answer = await h.call(method, path, { token });
      assert.equal(answer.status, 200, path);
      assert.ok(Compile(schema).Check(answer.json()), `${path} ${answer.bytes}`);
    }
    assert.ok(h.audit.events.some(({ type, outcome }) => type === 'audit.verify' && outcome === 'success'));
    assert.ok(h.audit.events.some(({ type, detail }) => type === 'key.rotate' && detail?.to === 'kek/2'));
    assert.ok('body' in (await h.call('GET', '/v1/audit/proof/1', { token })).json());
    assert.ok(!('body' in (await h.call('GET', '/v1/audit/proof/1?body=false', { token })).json()));
    const verdict = (await h.call('POST', '/v1/audit/verify', { token })).json();
    assert.equal(verdict.completeness, 'ok');
  });

  it('makes a token, lists it without its secret, revokes it, and records all', async () => {
    const token = await h.token('admin');
    const made = await h.call('POST', '/v1/tokens', {
      token,
      json: { subject: 'pacs', scope: ['records:read'], name: 'PACS' },
    });
    assert.equal(made.status, 201);
    const issued = made.json();
    const list = await h.call('GET', '/v1/tokens', { token });
    assert.ok(!list.bytes.toString().includes(String(issued.token)));
    assert.equal((await h.call('GET', '/v1/records', { token: String(issued.token) })).status, 200);
    const revoked = await h.call('DELETE', `/v1/tokens/${issued.id}`, { token });
    assert.ok(revoked.json().revokedAt);
    assertProblem(await h.call('GET', '/v1/records', { token: String(issued.token) }), 401, 'GATEWAY_TOKEN_REVOKED');
    assertProblem(await h.call('DELETE', `/v1/tokens/${'0'.repeat(32)}`, { token }), 404, 'GATEWAY_TOKEN_ABSENT');
    assert.ok(h.audit.events.some(({ type, detail }) => type === 'token.list' && Number(detail?.count) > 0));
    assert.equal((await h.call('GET', '/v1/keys', { token })).status, 200);
    await eventually(() => h.audit.events.some(({ type }) => type === 'key.list'), 'the listing of keys is on record');
    for (const type of ['token.create', 'token.revoke']) {
      assert.ok(h.audit.events.some((event) => event.type === type && event.detail?.token === issued.id));
    }
  });

  it('has a rotation on record from its beginning, and a rewrap that fails half-way', async () => {
    const token = await h.token('admin');
    const from = h.audit.events.length;
    h.store.failRewrap = new NectarError('NODE_DISK_FULL', { path: 'store/index' });
    assertProblem(await h.call('POST', '/v1/keys/rotate', { token }), 507, 'NODE_DISK_FULL');
    h.store.failRewrap = undefined;
    assert.equal((await h.call('POST', '/v1/keys/rotate', { token })).status, 200);
    assert.deepEqual(
      h.audit.events.slice(from).map(({ type, outcome, detail }) => [type, outcome, detail?.phase ?? detail?.reason]),
      [
        ['key.rotate', 'success', 'started'],
        ['key.rotate', 'success', undefined],
        ['record.rewrap', 'success', 'started'],
        ['record.rewrap', 'failure', 'NODE_DISK_FULL'],
        ['key.rotate', 'success', 'started'],
        ['key.rotate', 'success', undefined],
        ['record.rewrap', 'success', 'started'],
        ['record.rewrap', 'success', undefined],
      ],
    );
  });

  it('has every change of the key list on record with its generation, and a refused one with its reason', async () => {
    const token = await h.token('admin');
    const from = h.audit.events.length;
    const statuses = [];
    for (const [method, path, json] of [
      ['POST', '/v1/keys/retire', undefined],
      ['POST', '/v1/keys/providers', { provider: 'passphrase', passphrase: 'four quite random words' }],
      ['PUT', '/v1/keys/providers/passphrase-1', { provider: 'passphrase', passphrase: 'four other random words' }],
      ['DELETE', '/v1/keys/providers/passphrase-1', undefined],
      ['POST', '/v1/keys/resolve', undefined],
    ] as const) {
      statuses.push((await h.call(method, path, { token, ...(json !== undefined && { json }) })).status);
    }
    assert.deepEqual(statuses, [200, 201, 200, 409, 409]);
    const ended = h.audit.events.slice(from).filter(({ detail }) => detail?.phase === undefined);
    assert.deepEqual(
      ended.map(({ type, outcome, detail }) => [type, outcome, detail?.file, detail?.generation ?? detail?.reason]),
      [
        ['record.rewrap', 'success', undefined, undefined],
        ['key.retire', 'success', 'keys', 3],
        ['key.enroll', 'success', 'keys', 4],
        ['key.change', 'success', 'keys', 5],
        ['key.remove', 'failure', undefined, 'KEY_PROVIDER_LAST'],
        ['key.resolve', 'failure', undefined, 'KEY_STORE_AGREES'],
      ],
    );
    assert.ok(!JSON.stringify(h.audit.events).includes('random words'));
  });

  it('has the refused revocation of a token on record, a scrub, a join, and that it left', async () => {
    const token = await h.token('admin');
    const from = h.audit.events.length;
    const absent = '1'.repeat(32);
    assertProblem(await h.call('DELETE', `/v1/tokens/${absent}`, { token }), 404, 'GATEWAY_TOKEN_ABSENT');
    await h.call('POST', '/v1/scrub', { token });
    await h.call('POST', '/v1/network/join', { token });
    await h.call('POST', '/v1/network/leave', { token });
    assert.deepEqual(
      h.audit.events.slice(from).map(({ type, outcome }) => [type, outcome]),
      [
        ['token.revoke', 'failure'],
        ['record.scrub', 'success'],
        ['network.join', 'success'],
        ['network.leave', 'success'],
      ],
    );
  });

  it('hands out no token without its evidence', async () => {
    const token = await h.token('admin');
    h.audit.fail = new Error('log is read-only');
    const answer = await h.call('POST', '/v1/tokens', { token, json: { subject: 'ghost', scope: ['admin'] } });
    assertProblem(answer, 500, 'NODE_INTERNAL');
    const ghost = h.tokens.list().find(({ subject }) => subject === 'ghost');
    assert.ok(ghost?.revokedAt !== undefined);
  });

  it('passes JSON-RPC through, single and batch, and bounds both', async () => {
    const token = await h.token('rpc');
    const rpc = (body: string, type = 'application/json') =>
      h.call('POST', '/rpc', { token, body, headers: { 'content-type': type } });
    assert.deepEqual((await rpc('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}')).json(), {
      jsonrpc: '2.0',
      id: 1,
      result: 'eth_chainId',
    });
    assert.equal((await rpc('[{"id":1},{"id":2}]', 'text/plain')).json().length, 2);
    assert.equal((await rpc('{"jsonrpc":"2.0","method":"note"}')).status, 204);
    const error = async (body: string) => ((await rpc(body)).json().error as { code: number }).code;
    assert.equal(await error('{'), -32700);
    assert.equal(await error(''), -32700);
    assert.equal(await error(JSON.stringify(Array.from({ length: 1_001 }, (_, id) => ({ id })))), -32600);
    assertProblem(await rpc(`"${'x'.repeat(1024 * 1024)}"`), 413, 'GATEWAY_BODY_TOO_LARGE');
  });

  it('puts on record what is said to have been copied, and nothing of another shape', async () => {
    const token = await h.token('admin');
    const report = {
      what: 'restore',
      at: '2026-11-23T08:00:00.000Z',
      backupCreatedAt: '2026-11-22T08:00:00.000Z',
      ...{ entries: 31, bytes: 4096, manifestSha256: 'ab'.repeat(32) },
    };
    const answer = await h.call('POST', '/v1/node/copies', { token, json: report });
    assert.equal(answer.status, 201);
    const { type, outcome, detail } = h.audit.events.at(-1) ?? assert.fail('no event');
    const { what: _, ...said } = report;
    assert.deepEqual([type, outcome, detail], ['node.restore', 'success', said]);
    for (const wrong of [{ what: 'shred' }, { manifestSha256: 'x' }, { at: 'today' }, { bytes: -1 }, { more: 1 }]) {
      const refused = await h.call('POST', '/v1/node/copies', { token, json: { ...report, ...wrong } });
      assertProblem(refused, 400, 'GATEWAY_REQUEST_INVALID');
    }
    h.audit.fail = new Error('disk full');
    assert.equal((await h.call('POST', '/v1/node/copies', { token, json: report })).status, 500);
    h.audit.fail = undefined;
  });

  it('counts what it serves by route, without text from outside', async () => {
    await h.call('GET', `/v1/records/${NODE_ID}`);
    await h.call('GET', '/v1/secret-patient-name');
    const text = await h.metrics.metrics();
    assert.match(text, /nectar_gateway_requests_total\{route="\/v1\/records\/:id",method="GET",status="401"\} \d/);
    assert.match(text, /nectar_gateway_denied_total\{reason="GATEWAY_TOKEN_MISSING"\} \d/);
    assert.ok(!text.includes('secret-patient-name'));
  });
});
