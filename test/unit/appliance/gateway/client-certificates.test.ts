import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { AddedClient } from '../../../../appliance/gateway/client-schemas.ts';
import { agentOf, type Clients, caller, NOW, startClients } from './clients-harness.ts';
import { eventually } from './harness.ts';
import { createSite } from './site-authority.ts';

const run = promisify(execFile);

async function tokensListed({ h, admin }: Clients): Promise<readonly AddedClient[]> {
  const answer = await h.call('GET', '/v1/tokens', { token: admin });
  return (answer.json() as { tokens?: AddedClient[] }).tokens ?? [];
}

describe('clients with certificates', () => {
  let clients: Clients;

  describe('taken beside tokens', () => {
    beforeEach(async () => {
      clients = await startClients();
    });
    afterEach(() => clients.stop());

    it('lets a client in by the certificate that the node signed, and names it in the log', async () => {
      const { added, shown } = await clients.addIssued({ name: 'PACS archive' });
      assert.equal((await clients.as(shown).ask()).status, 200);
      assert.equal((await clients.as(shown).ask(undefined, '/v1/node')).code, 'GATEWAY_SCOPE_MISSING');
      const issued = new X509Certificate(added.issued ?? '');
      assert.ok(issued.verify(new X509Certificate(added.issuer ?? '').publicKey));
      assert.deepEqual(issued.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'good for clients only');
      const denied = clients.h.audit.events.find(({ type }) => type === 'auth.denied');
      assert.deepEqual(denied?.context.actor, { subject: 'pacs', tokenId: added.id, name: 'PACS archive' });
      const created = clients.h.audit.events.find(
        ({ type, detail }) => type === 'token.create' && detail?.token === added.id,
      );
      assert.equal(created?.detail?.certificate, `alone key:${added.certificate?.key}`);
      const [listed] = (await tokensListed(clients)).filter(({ id }) => id === added.id);
      assert.deepEqual(listed?.certificate, added.certificate);
    });

    it('takes it with TLS 1.2 too, where nothing is renegotiated', async () => {
      const { shown } = await clients.addIssued();
      const old = caller(clients.h, shown, agentOf(clients.h, shown, 'TLSv1.2'));
      assert.equal((await old.ask()).status, 200);
      old.close();
    });

    it('takes a certificate of any issuer by its key, also one renewed for that key', async () => {
      const site = await createSite(NOW);
      const first = await site.issue({ names: [] });
      await clients.add({ certificate: first.cert });
      assert.equal((await clients.as(first).ask()).status, 200);
      const renewed = await site.issue({ names: [], keys: first.keys });
      assert.notEqual(renewed.cert, first.cert);
      assert.equal((await clients.as(renewed).ask()).status, 200);
    });

    it('asks nobody for a certificate who has none', async () => {
      const anonymous = clients.as({});
      assert.equal((await anonymous.ask()).code, 'GATEWAY_TOKEN_MISSING');
      assert.equal((await anonymous.ask(clients.admin)).status, 200);
      const unlisted = await (await createSite(NOW)).issue({ names: [] });
      assert.equal(
        (await clients.as(unlisted).ask(clients.admin)).status,
        200,
        'a token is enough whatever is shown beside it',
      );
    });

    it('refuses a certificate that nobody added, in words', async () => {
      const unlisted = await (await createSite(NOW)).issue({ names: ['pacs.clinic.example'] });
      const refused = await clients.as(unlisted).ask();
      assert.equal(refused.status, 401);
      assert.equal(refused.code, 'GATEWAY_CLIENT_CERTIFICATE_UNKNOWN');
      assert.equal(refused.challenge, 'Bearer realm="nectar", error="invalid_token"');
    });

    it('refuses an expired one, and one of later, by the clock of the node and in a connection that is open already', async () => {
      const { added, shown } = await clients.addIssued({ expiresInSeconds: 3600 });
      const kept = clients.as(shown);
      assert.equal((await kept.ask()).status, 200);
      clients.h.node.now = NOW + 3_601_000;
      const late = await kept.ask();
      assert.equal(late.code, 'GATEWAY_CLIENT_CERTIFICATE_EXPIRED');
      assert.deepEqual(late.body.data, { expiredAt: added.expiresAt });
      assert.equal((await clients.as(shown).ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_EXPIRED');
      clients.h.node.now = NOW - 3_600_000;
      assert.equal((await clients.as(shown).ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_NOT_YET');
    });

    it('ends a client at once, in connections that are open and in new ones', async () => {
      const { added, shown } = await clients.addIssued();
      const kept = clients.as(shown);
      assert.equal((await kept.ask()).status, 200);
      assert.equal((await clients.h.call('DELETE', `/v1/tokens/${added.id}`, { token: clients.admin })).status, 200);
      for (const one of [kept, clients.as(shown)]) {
        const refused = await one.ask();
        assert.deepEqual([refused.status, refused.code], [401, 'GATEWAY_CLIENT_REVOKED']);
      }
      const denied = clients.h.audit.events.filter(({ type }) => type === 'auth.denied').at(-1);
      assert.equal(denied?.context.actor.subject, 'pacs');
      assert.equal(denied?.detail?.token, added.id);
      const again = await clients.add({ certificate: shown.cert });
      assert.equal((await clients.as(shown).ask()).status, 200, 'the administrator may add its key anew');
      assert.notEqual(again.id, added.id);
    });

    it('ends what a revoked client has begun', async () => {
      const { added, shown } = await clients.addIssued({ scope: ['records:write'] });
      const agent = agentOf(clients.h, shown);
      const put = request({
        agent,
        host: '127.0.0.1',
        port: clients.h.port,
        servername: 'localhost',
        method: 'POST',
        path: '/v1/records',
        headers: { 'content-type': 'application/octet-stream' },
      });
      put.on('error', () => undefined).write(Buffer.alloc(70_000));
      await eventually(() => clients.h.store.puts === 1, 'the upload reaches the store');
      await clients.h.call('DELETE', `/v1/tokens/${added.id}`, { token: clients.admin });
      await eventually(() => clients.h.store.aborts.length === 1, 'the upload is aborted');
      agent.destroy();
      put.destroy();
    });

    it('binds a token to a certificate: either alone is worth nothing', async () => {
      const { added, shown } = await clients.addIssued({ withToken: true });
      const { shown: other } = await clients.addIssued({ subject: 'other' });
      assert.equal((await clients.as(shown).ask(added.token)).status, 200);
      assert.equal((await clients.as(shown).ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_UNKNOWN');
      assert.equal((await clients.as({}).ask(added.token)).code, 'GATEWAY_CLIENT_CERTIFICATE_MISSING');
      assert.equal((await clients.as(other).ask(added.token)).code, 'GATEWAY_CLIENT_CERTIFICATE_MISMATCH');
      clients.h.node.now = NOW + 40 * 86_400_000;
      assert.equal((await clients.as(shown).ask(added.token)).code, 'GATEWAY_TOKEN_EXPIRED');
    });

    it('works from curl', async () => {
      const { added, shown } = await clients.addIssued();
      const at = (name: string) => join(clients.h.folder, name);
      await writeFile(at('ca.pem'), clients.h.certificates.caCertificate);
      await writeFile(at('pacs.crt'), shown.cert ?? '');
      await writeFile(at('pacs.key'), shown.key ?? '', { mode: 0o600 });
      const curl = async (...more: string[]) => {
        const args = ['-sS', '--cacert', at('ca.pem'), ...more, `https://localhost:${clients.h.port}/v1/records`];
        return JSON.parse((await run('curl', args)).stdout) as { records?: unknown; code?: string };
      };
      const withCertificate = ['--cert', at('pacs.crt'), '--key', at('pacs.key')];
      assert.ok((await curl(...withCertificate)).records);
      assert.equal((await curl()).code, 'GATEWAY_TOKEN_MISSING');
      await clients.h.call('DELETE', `/v1/tokens/${added.id}`, { token: clients.admin });
      assert.equal((await curl(...withCertificate)).code, 'GATEWAY_CLIENT_REVOKED');
    });
  });

  it('asks for no certificate when it is turned off, and a bound token opens nothing then', async () => {
    clients = await startClients('off');
    try {
      const { added, shown } = await clients.addIssued();
      assert.equal((await clients.as(shown).ask()).code, 'GATEWAY_TOKEN_MISSING');
      const bound = await clients.addIssued({ withToken: true });
      assert.equal((await clients.as(bound.shown).ask(bound.added.token)).code, 'GATEWAY_CLIENT_CERTIFICATE_MISSING');
      assert.ok(added.id);
    } finally {
      await clients.stop();
    }
  });

  it('takes nobody without one when it is required, but the command line of this machine', async () => {
    clients = await startClients('required');
    try {
      const local = await clients.h.tokens.issue({
        subject: 'cli',
        name: 'the command line of this machine',
        scope: ['admin'],
        expiresInSeconds: 3600,
      });
      const stray = clients.admin;
      clients.admin = local.token;
      const { added, shown } = await clients.addIssued();
      const bound = await clients.addIssued({ withToken: true, subject: 'ehr' });
      assert.equal((await clients.as({}).ask(stray)).code, 'GATEWAY_CLIENT_CERTIFICATE_MISSING');
      assert.equal((await clients.as(shown).ask(stray)).code, 'GATEWAY_CLIENT_CERTIFICATE_MISSING');
      assert.equal((await clients.as(shown).ask()).status, 200);
      assert.equal((await clients.as(bound.shown).ask(bound.added.token)).status, 200);
      assert.equal((await clients.as({}).ask(local.token)).status, 200);
      assert.equal((await clients.as({}).ask(undefined, '/healthz')).status, 200, 'a probe of health is nobody');
      const free = { subject: 'cli', scope: ['admin'], name: 'the command line of this machine' };
      const refused = await clients.h.call('POST', '/v1/tokens', { token: local.token, json: free });
      assert.equal(refused.json().code, 'GATEWAY_CLIENT_REQUEST_INVALID');
      assert.ok(added.id);
    } finally {
      await clients.stop();
    }
  });
});
