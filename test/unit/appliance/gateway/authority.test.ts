import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { SCOPES, type Scope } from '../../../../appliance/gateway/schema-parts.ts';
import { NODE_ID } from './doubles.ts';
import { assertProblem, eventually, type Harness, openBody, startHarness } from './harness.ts';

const EVERY_PRIVATE_ROUTE = [
  ['POST', '/v1/unlock', 'admin'],
  ['POST', '/v1/records', 'records:write'],
  ['POST', '/v1/records/batch', 'records:write'],
  ['POST', '/v1/records/present', 'records:read'],
  ['GET', '/v1/records', 'records:read'],
  ['GET', `/v1/records/${NODE_ID}`, 'records:read'],
  ['HEAD', `/v1/records/${NODE_ID}`, 'records:read'],
  ['PUT', `/v1/records/${NODE_ID}`, 'records:write'],
  ['DELETE', `/v1/records/${NODE_ID}`, 'records:delete'],
  ['GET', `/v1/records/${NODE_ID}/car`, 'records:read'],
  ['GET', `/v1/records/${NODE_ID}/blob`, 'records:read'],
  ['GET', `/v1/records/${NODE_ID}/keyset`, 'admin'],
  ['POST', '/v1/uploads', 'records:write'],
  ['HEAD', `/v1/uploads/${NODE_ID}`, 'records:write'],
  ['PATCH', `/v1/uploads/${NODE_ID}`, 'records:write'],
  ['DELETE', `/v1/uploads/${NODE_ID}`, 'records:write'],
  ['GET', '/v1/audit/checkpoint', 'audit:read'],
  ['GET', '/v1/audit/entries', 'audit:read'],
  ['GET', '/v1/audit/entries/0', 'audit:read'],
  ['GET', '/v1/audit/proof/0', 'audit:read'],
  ['POST', '/v1/audit/verify', 'audit:read'],
  ['GET', '/v1/node', 'node:read'],
  ['GET', '/v1/network', 'node:read'],
  ['GET', '/v1/metrics', 'node:read'],
  ['GET', '/v1/network/peers', 'node:read'],
  ['POST', '/v1/network/join', 'admin'],
  ['POST', '/v1/network/leave', 'admin'],
  ['POST', '/v1/network/appeal', 'admin'],
  ['GET', '/v1/auditor/queue', 'node:read'],
  ['POST', '/v1/auditor/decisions', 'admin'],
  ['POST', '/v1/node/copies', 'admin'],
  ['GET', '/v1/backups', 'node:read'],
  ['POST', '/v1/backups/statements', 'backups:make'],
  ['POST', '/v1/backups/keys', 'backups:make'],
  ['POST', '/v1/backups/hold', 'backups:make'],
  ['POST', '/v1/backups/verifications', 'backups:make'],
  ['POST', '/v1/backups/prunings', 'backups:make'],
  ['PUT', '/v1/backups/schedule', 'admin'],
  ['GET', '/v1/keys', 'admin'],
  ['POST', '/v1/keys/rotate', 'admin'],
  ['GET', '/v1/tokens', 'admin'],
  ['POST', '/v1/tokens', 'admin'],
  ['DELETE', `/v1/tokens/${NODE_ID}`, 'admin'],
  ['POST', '/v1/scrub', 'admin'],
  ['GET', '/v1/hardening', 'node:read'],
  ['POST', '/v1/hardening/reports', 'admin'],
  ['GET', '/v1/hardening/waivers', 'node:read'],
  ['POST', '/v1/hardening/waivers', 'admin'],
  ['PUT', '/v1/hardening/schedule', 'admin'],
  ['POST', '/rpc', 'rpc'],
] as const;

describe('the guard of the gateway', () => {
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
      const every = new Set<string>(SCOPES);
      for (const [method, path, scope] of EVERY_PRIVATE_ROUTE) {
        const others = [...every].filter((name) => name !== scope && name !== 'admin') as Scope[];
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
    it('keeps to health, readiness, description, status, metrics and unlock', async () => {
      const token = await h.token('admin');
      h.node.state = 'locked';
      h.node.ready = false;
      for (const [method, path] of EVERY_PRIVATE_ROUTE) {
        if (['/v1/unlock', '/v1/node', '/v1/metrics'].includes(path)) continue;
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
      const metrics = (await h.call('GET', '/v1/metrics', { token })).bytes.toString('utf8');
      assert.match(metrics, /^nectar_role_up\{role="all"\} 1$/m);
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
});
