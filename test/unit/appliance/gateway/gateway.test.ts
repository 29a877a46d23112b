import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { GatewayConfig } from '../../../../appliance/gateway/config.ts';
import type { GatewayDependencies } from '../../../../appliance/gateway/dependencies.ts';
import { createGateway } from '../../../../appliance/gateway/gateway.ts';
import * as schemas from '../../../../appliance/gateway/schemas.ts';
import { createCertificates, renewServerCertificate } from '../../../../appliance/gateway/tls.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { assertProblem, eventually, type Harness, NODE_ID, openBody, received, startHarness } from './harness.ts';

const EVERY_PRIVATE_ROUTE = [
  ['POST', '/v1/unlock', 'admin'],
  ['POST', '/v1/records', 'records:write'],
  ['GET', '/v1/records', 'records:read'],
  ['GET', `/v1/records/${NODE_ID}`, 'records:read'],
  ['HEAD', `/v1/records/${NODE_ID}`, 'records:read'],
  ['PUT', `/v1/records/${NODE_ID}`, 'records:write'],
  ['DELETE', `/v1/records/${NODE_ID}`, 'records:delete'],
  ['GET', `/v1/records/${NODE_ID}/car`, 'records:read'],
  ['GET', '/v1/audit/checkpoint', 'audit:read'],
  ['GET', '/v1/audit/entries', 'audit:read'],
  ['GET', '/v1/audit/entries/0', 'audit:read'],
  ['GET', '/v1/audit/proof/0', 'audit:read'],
  ['POST', '/v1/audit/verify', 'audit:read'],
  ['GET', '/v1/node', 'node:read'],
  ['GET', '/v1/network', 'node:read'],
  ['GET', '/v1/network/peers', 'node:read'],
  ['POST', '/v1/network/join', 'admin'],
  ['GET', '/v1/keys', 'admin'],
  ['POST', '/v1/keys/rotate', 'admin'],
  ['GET', '/v1/tokens', 'admin'],
  ['POST', '/v1/tokens', 'admin'],
  ['DELETE', `/v1/tokens/${NODE_ID}`, 'admin'],
  ['POST', '/v1/scrub', 'admin'],
  ['POST', '/rpc', 'rpc'],
] as const;

describe('the gateway', () => {
  let h: Harness;
  before(async () => {
    h = await startHarness({ maxDenialsPerMinute: 1000, bodyTimeoutMs: 300, headersTimeoutMs: 400, maxRequests: 3 });
  });
  after(() => h.stop());
  afterEach(() => {
    Object.assign(h.node, { state: 'unlocked', ready: true });
    h.store.putGate = undefined;
    h.audit.fail = undefined;
  });

  describe('authority', () => {
    it('refuses every private route without a token, with another scope, and records each refusal', async () => {
      const every = new Set<string>(schemas.SCOPES);
      for (const [method, path, scope] of EVERY_PRIVATE_ROUTE) {
        const others = [...every].filter((name) => name !== scope && name !== 'admin') as schemas.Scope[];
        const before = h.audit.events.length;
        const bare = await h.call(method, path);
        assert.equal(bare.status, 401, `${method} ${path}`);
        assert.equal(bare.headers['www-authenticate'], 'Bearer realm="nectar"');
        const narrow = await h.call(method, path, { token: await h.token(...others) });
        assert.equal(narrow.status, 403, `${method} ${path}`);
        assert.match(String(narrow.headers['www-authenticate']), new RegExp(`scope="${scope}"`));
        await eventually(() => h.audit.events.length === before + 2, 'two refusals recorded');
        const [first, second] = h.audit.events.slice(before);
        assert.deepEqual(
          [first?.type, first?.outcome, first?.detail?.reason],
          ['auth.denied', 'failure', 'GATEWAY_TOKEN_MISSING'],
        );
        assert.deepEqual([second?.detail?.reason, second?.context.actor.subject], ['GATEWAY_SCOPE_MISSING', 'tester']);
      }
    });

    it('accepts each route with its own scope or with admin', async () => {
      for (const [method, path, scope] of EVERY_PRIVATE_ROUTE) {
        for (const token of [await h.token(scope), await h.token('admin')]) {
          const { status } = await h.call(method, path, { token });
          assert.ok(![401, 403, 405].includes(status) && status < 500, `${method} ${path} ${status}`);
        }
      }
    });

    it('tells an altered, an expired and a revoked token apart', async () => {
      const make = () => h.tokens.issue({ subject: 'clinic', scope: ['node:read'], expiresInSeconds: 60 });
      const [altered, expired, revoked] = [await make(), await make(), await make()];
      const get = (token: string) => h.call('GET', '/v1/node', { token });
      assert.equal((await get(revoked.token)).status, 200);
      await h.tokens.revoke(revoked.id);
      assertProblem(await get(revoked.token), 401, 'GATEWAY_TOKEN_REVOKED');
      const flipped = altered.token.slice(0, -2) + (altered.token.endsWith('AA') ? 'BA' : 'AA');
      const answer = await get(flipped);
      assertProblem(answer, 401, 'GATEWAY_TOKEN_INVALID');
      assert.match(String(answer.headers['www-authenticate']), /error="invalid_token"/);
      h.node.now += 61_000;
      assertProblem(await get(expired.token), 401, 'GATEWAY_TOKEN_EXPIRED');
      h.node.now -= 61_000;
    });

    it('takes a token from the Authorization header only', async () => {
      const token = await h.token('node:read');
      assertProblem(await h.call('GET', `/v1/node?token=${token}`), 401, 'GATEWAY_TOKEN_MISSING');
      assertProblem(
        await h.call('GET', '/v1/node', { headers: { authorization: `Basic ${token}` } }),
        401,
        'GATEWAY_TOKEN_MISSING',
      );
      assertProblem(
        await h.call('GET', '/v1/node', { headers: { authorization: 'Bearer a b' } }),
        401,
        'GATEWAY_TOKEN_MISSING',
      );
      assertProblem(await h.call('GET', '/v1/node', { token: 'x'.repeat(5000) }), 401, 'GATEWAY_TOKEN_INVALID');
    });

    it('looks at the token before it looks at the body', async () => {
      const body = openBody();
      const answer = h.call('POST', '/v1/tokens', { body, headers: { 'content-type': 'application/json' } });
      body.write('{"never":');
      assertProblem(await answer, 401, 'GATEWAY_TOKEN_MISSING');
      body.destroy();
    });

    it('answers as before when the refusal cannot be recorded', async () => {
      h.audit.fail = new Error('disk full');
      assertProblem(await h.call('GET', '/v1/node'), 401, 'GATEWAY_TOKEN_MISSING');
    });
  });

  describe('while locked', () => {
    it('keeps to health, readiness, description, status and unlock', async () => {
      const token = await h.token('admin');
      h.node.state = 'locked';
      h.node.ready = false;
      for (const [method, path] of EVERY_PRIVATE_ROUTE) {
        if (path === '/v1/unlock' || path === '/v1/node') continue;
        const answer = await h.call(method, path, { token });
        if (method === 'HEAD') assert.equal(answer.status, 503);
        else assertProblem(answer, 503, 'KEY_LOCKED');
      }
      assert.deepEqual((await h.call('GET', '/healthz')).json(), { status: 'ok' });
      const readiness = await h.call('GET', '/readyz');
      assert.deepEqual(
        [readiness.status, readiness.json()],
        [503, { ready: false, reasons: [{ service: 'keys', reason: 'locked' }] }],
      );
      assert.equal((await h.call('GET', '/openapi.json')).status, 200);
      assert.equal((await h.call('GET', '/v1/node', { token })).json().locked, true);
    });

    it('opens with the right passphrase, and keeps evidence of both until there is a log', async () => {
      const token = await h.token('admin');
      h.node.state = 'locked';
      h.audit.fail = new Error('not started');
      const before = h.audit.events.length;
      assertProblem(
        await h.call('POST', '/v1/unlock', { token, json: { passphrase: 'wrong' } }),
        403,
        'KEY_PASSPHRASE_WRONG',
      );
      const opened = await h.call('POST', '/v1/unlock', { token, json: { passphrase: 'open sesame' } });
      assert.deepEqual([opened.status, opened.json()], [200, { state: 'unlocked' }]);
      assert.equal(h.audit.events.length, before);
      h.audit.fail = undefined;
      const unlocks = () => h.audit.events.slice(before).filter(({ type }) => type === 'key.unlock');
      await eventually(() => unlocks().length === 2, 'held evidence written');
      assert.deepEqual(
        unlocks().map(({ outcome }) => outcome),
        ['failure', 'success'],
      );
      assert.ok(!JSON.stringify(h.audit.events).includes('sesame'));
    });

    it('tries one passphrase at a time', async () => {
      const token = await h.token('admin');
      h.node.state = 'locked';
      let open: () => void = () => undefined;
      h.node.unlockGate = new Promise((resolve) => {
        open = resolve;
      });
      const first = h.call('POST', '/v1/unlock', { token, json: { provider: 'file' } });
      await eventuallyRefused();
      open();
      assert.equal((await first).status, 200);

      async function eventuallyRefused() {
        for (let attempt = 0; attempt < 100; attempt++) {
          const second = await Promise.race([
            h.call('POST', '/v1/unlock', { token, json: { passphrase: 'x' } }),
            first,
          ]);
          if (second.status === 429) return assertProblem(second, 429, 'GATEWAY_OPERATION_RUNNING');
        }
        assert.fail('two unlocks at a time');
      }
    });
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
        await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`),
        /^HTTP\/1.1 431 [\s\S]*GATEWAY_HEADERS_TOO_LARGE/,
      );
      const smuggled =
        'POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /';
      assert.match(await raw(smuggled), /^HTTP\/1.1 400 /);
    });

    it('cannot be slow with their headers, nor with a JSON body', async () => {
      assert.match(await raw('GET /healthz HTTP/1.1\r\nHost: x\r\n'), /^HTTP\/1.1 408 [\s\S]*GATEWAY_REQUEST_TIMEOUT/);
      const token = await h.token('admin');
      const head = `POST /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`;
      assert.equal((await raw(head)).includes('201'), false);
    });
  });

  it('bounds the requests served at a time, and keeps answering probes', async () => {
    const token = await h.token('admin');
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const begun = h.store.puts;
    const running = [1, 2, 3].map(() => h.call('POST', '/v1/records', { token, body: 'x' }));
    await eventually(() => h.store.puts === begun + 3, 'three requests run');
    const refused = await h.call('GET', '/v1/node', { token });
    assertProblem(refused, 503, 'GATEWAY_BUSY');
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal((await h.call('GET', '/healthz')).status, 200);
    open();
    await Promise.all(running);
    assert.equal((await h.call('GET', '/v1/node', { token })).status, 200);
  });

  it('answers node, network, keys and audit in the shapes declared', async () => {
    const token = await h.token('admin');
    for (const [method, path, schema] of [
      ['GET', '/v1/node', schemas.NodeStatus],
      ['GET', '/v1/network', schemas.NetworkInfo],
      ['GET', '/v1/network/peers', schemas.PeerList],
      ['POST', '/v1/network/join', schemas.JoinResult],
      ['GET', '/v1/keys', schemas.KeyList],
      ['POST', '/v1/keys/rotate', schemas.RotationResult],
      ['POST', '/v1/scrub', schemas.ScrubReport],
      ['GET', '/v1/audit/checkpoint', schemas.AuditCheckpoint],
      ['GET', '/v1/audit/entries?limit=2', schemas.AuditEntries],
      ['GET', '/v1/audit/entries/1', schemas.AuditEntry],
      ['GET', '/v1/audit/proof/1', schemas.AuditProof],
      ['POST', '/v1/audit/verify', schemas.AuditVerdict],
      ['GET', '/v1/records', schemas.RecordPage],
      ['GET', '/v1/tokens', schemas.TokenList],
    ] as const) {
      const answer = await h.call(method, path, { token });
      assert.equal(answer.status, 200, path);
      assert.ok(Compile(schema).Check(answer.json()), `${path} ${answer.bytes}`);
    }
    assert.ok(h.audit.events.some(({ type, detail }) => type === 'audit.read' && detail?.proof === 1));
    assert.ok(h.audit.events.some(({ type, detail }) => type === 'key.rotate' && detail?.to === 'kek/2'));
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
    for (const type of ['token.create', 'token.revoke']) {
      assert.ok(h.audit.events.some((event) => event.type === type && event.detail?.token === issued.id));
    }
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
    assert.equal(await error(JSON.stringify(Array.from({ length: 101 }, (_, id) => ({ id })))), -32600);
    assertProblem(await rpc(`"${'x'.repeat(1024 * 1024)}"`), 413, 'GATEWAY_BODY_TOO_LARGE');
  });

  it('counts what it serves by route, without text from outside', async () => {
    await h.call('GET', '/v1/secret-patient-name');
    const text = await h.metrics.metrics();
    assert.match(text, /nectar_gateway_requests_total\{route="\/v1\/records\/:id",method="GET",status="401"\} \d/);
    assert.match(text, /nectar_gateway_denied_total\{reason="GATEWAY_TOKEN_REVOKED"\} \d/);
    assert.ok(!text.includes('secret-patient-name'));
  });
});

describe('the life of a gateway', () => {
  it('refuses TLS below 1.2', async () => {
    const h = await startHarness();
    try {
      const options = { host: '127.0.0.1', port: h.port, servername: 'localhost', ca: h.certificates.caCertificate };
      const outcome = (max: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
        new Promise((resolve) => {
          const socket = connect(
            { ...options, minVersion: 'TLSv1', maxVersion: max, ciphers: 'DEFAULT@SECLEVEL=0' },
            () => {
              resolve(socket.getProtocol());
              socket.destroy();
            },
          ).on('error', () => resolve('refused'));
        });
      assert.deepEqual(
        [await outcome('TLSv1.1'), await outcome('TLSv1.2'), await outcome('TLSv1.3')],
        ['refused', 'TLSv1.2', 'TLSv1.3'],
      );
    } finally {
      await h.stop();
    }
  });

  it('closes connections over the number allowed', async () => {
    const h = await startHarness({ maxConnections: 2 });
    try {
      const open = [await h.dial(), await h.dial()];
      await assert.rejects(h.dial());
      for (const socket of open) socket.destroy();
    } finally {
      await h.stop();
    }
  });

  it('refuses a taken port, a foreign address, and certificates that do not fit, each with its code', async () => {
    const h = await startHarness();
    try {
      const paths = { certificatePath: join(h.folder, 'server.crt'), keyPath: join(h.folder, 'server.key') };
      const defaults = Value.Default(GatewayConfig, {}) as GatewayConfig;
      const attempt = (config: Partial<GatewayConfig>, files = paths) => {
        // None of these starts gets as far as a request: only what starting itself uses is there.
        const deps = {
          log: createLogger({ level: 'silent' }),
          metrics: createMetrics(),
          now: () => 0,
        } as GatewayDependencies;
        const again = createGateway({ config: { ...defaults, ...config }, version: '0', ...files }, deps);
        return again.start(new AbortController().signal);
      };
      await assert.rejects(attempt({ port: h.port }), (error) => isNectarError(error, 'GATEWAY_PORT_IN_USE'));
      await assert.rejects(attempt({ host: '192.0.2.1', port: 0 }), (error) =>
        isNectarError(error, 'GATEWAY_LISTEN_REFUSED'),
      );
      const bad = (error: unknown) => isNectarError(error, 'GATEWAY_CERTIFICATE_INVALID');
      await assert.rejects(attempt({}, { ...paths, certificatePath: join(h.folder, 'none') }), bad);
      await writeFile(
        join(h.folder, 'odd.key'),
        (await createCertificates({ nodeId: NODE_ID, hostName: 'x', names: [], now: Date.now() })).serverKey,
      );
      await assert.rejects(attempt({}, { ...paths, keyPath: join(h.folder, 'odd.key') }), bad);
    } finally {
      await h.stop();
    }
  });

  it('takes a renewed certificate into use without a restart', async () => {
    const h = await startHarness();
    try {
      const fingerprint = async () => {
        const socket = await h.dial();
        const { fingerprint256 } = socket.getPeerCertificate();
        socket.destroy();
        return fingerprint256;
      };
      const first = await fingerprint();
      const renewed = await renewServerCertificate({
        ...h.certificates,
        nodeId: NODE_ID,
        hostName: 'node',
        names: [],
        now: Date.now(),
      });
      await writeFile(join(h.folder, 'server.crt'), renewed.serverCertificate);
      await writeFile(join(h.folder, 'server.key'), renewed.serverKey);
      await h.gateway.reloadCertificate();
      assert.notEqual(await fingerprint(), first);
    } finally {
      await h.stop();
    }
  });

  it('lets requests in flight finish when it stops, and aborts those that do not', async () => {
    const h = await startHarness({ drainTimeoutMs: 200 });
    const token = await h.token('admin');
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const finishing = h.call('POST', '/v1/records', { token, body: 'x' });
    await eventually(() => h.store.puts === 1, 'upload runs');
    const stuck = openBody();
    const aborted = h.call('POST', '/v1/records', { token, body: stuck });
    stuck.write('never ends');
    await eventually(() => h.store.puts === 2, 'second upload runs');
    const stopped = h.gateway.stop();
    open();
    assert.equal((await finishing).status, 201);
    await stopped;
    assert.equal((await aborted).status, 0);
    await eventually(() => h.store.aborts.length === 1, 'store aborted');
    assert.deepEqual(h.gateway.readiness(), { ready: false, reason: 'not listening' });
    assert.throws(
      () => h.gateway.url(),
      (error) => isNectarError(error, 'NODE_NOT_READY'),
    );
    await h.stop();
  });
});
