import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createClientKey } from '../../../../appliance/gateway/client-issuer.ts';
import { type Clients, NOW, startClients } from './clients-harness.ts';
import { createSite, type Site } from './site-authority.ts';

describe('whose certificates are taken from clients', () => {
  let clients: Clients;

  describe('of the authorities of a site', () => {
    let site: Site;
    const trust = async (certificates: string, status = 200) => {
      const answer = await clients.h.call('PUT', '/v1/clients/authorities', {
        token: clients.admin,
        json: { certificates },
      });
      assert.equal(answer.status, status, answer.bytes.toString());
      return answer.json();
    };
    before(async () => {
      site = await createSite(NOW);
    });
    beforeEach(async () => {
      clients = await startClients();
    });
    afterEach(() => clients.stop());

    it('lets a client in by a name that the authority certified, whatever its key', async () => {
      await trust(site.certificate);
      const client = await clients.add({ certificateName: 'dns:PACS.clinic.example' });
      assert.equal(client.certificate?.name, 'dns:pacs.clinic.example');
      for (const names of [['pacs.clinic.example'], ['other.clinic.example', 'pacs.clinic.example']])
        assert.equal((await clients.as(await site.issue({ names })).ask()).status, 200);
      const other = await site.issue({ names: ['ehr.clinic.example'] });
      assert.equal((await clients.as(other).ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_UNKNOWN');
    });

    it('believes a name from no other issuer: not from a stranger, not from itself, not for a server, not when expired', async () => {
      await trust(site.certificate);
      await clients.add({ certificateName: 'dns:pacs.clinic.example' });
      const names = ['pacs.clinic.example'];
      const stranger = await (await createSite(NOW)).issue({ names });
      const forServer = await site.issue({ names, forServer: true });
      const expired = await site.issue({ names, validTo: NOW - 1000 });
      for (const shown of [stranger, forServer])
        assert.equal((await clients.as(shown).ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_UNKNOWN');
      assert.equal((await clients.as(expired).ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_EXPIRED');
      // The authority of the node itself vouches for keys that it listed, never for names.
      const { key, request: signingRequest } = await createClientKey('dns:pacs.clinic.example');
      const added = await clients.add({ signingRequest, withToken: true, subject: 'pacs.clinic.example' });
      assert.equal(
        (await clients.as({ key, cert: added.issued ?? '' }).ask()).code,
        'GATEWAY_CLIENT_CERTIFICATE_UNKNOWN',
      );
    });

    it('stops believing an authority that is taken away, also in connections that are open', async () => {
      await trust(site.certificate);
      await clients.add({ certificateName: 'dns:pacs.clinic.example' });
      const shown = await site.issue({ names: ['pacs.clinic.example'] });
      const kept = clients.as(shown);
      assert.equal((await kept.ask()).status, 200);
      assert.deepEqual(
        (await trust('')).authorities,
        (await listed()).filter(({ own }) => own),
      );
      for (const one of [kept, clients.as(shown)])
        assert.equal((await one.ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_UNKNOWN');
      assert.deepEqual(
        clients.h.audit.events.filter(({ type }) => type === 'client.authorities').map(({ detail }) => detail?.count),
        [1, 0],
      );
    });

    it('refuses what is no authority', async () => {
      const { cert } = await site.issue({ names: [] });
      const old = await createSite(NOW - 30 * 86_400_000, NOW - 1000);
      for (const [pem, reason] of [
        ['nothing', 'there is no certificate in PEM'],
        [cert, 'one is the certificate of no authority'],
        [old.certificate, 'one has expired'],
        [site.certificate.repeat(17), 'there are more than 16'],
        [site.certificate.replace(/[A-Za-z0-9]{30}/, 'A'.repeat(30)), 'one is damaged'],
      ] as const) {
        const refused = await trust(pem, 400);
        assert.deepEqual([refused.code, refused.data], ['GATEWAY_CLIENT_AUTHORITY_INVALID', { reason }]);
      }
    });

    const listed = async () =>
      (await clients.h.call('GET', '/v1/clients/authorities', { token: clients.admin })).json().authorities as {
        own: boolean;
      }[];
  });

  describe('what is asked for when one is added', () => {
    before(async () => {
      clients = await startClients();
    });
    after(() => clients.stop());
    const refused = async (wanted: object): Promise<unknown> => {
      const json = { subject: 'pacs', scope: ['records:read'], ...wanted };
      const answer = await clients.h.call('POST', '/v1/clients', { token: clients.admin, json });
      assert.equal(answer.json().code, 'GATEWAY_CLIENT_REQUEST_INVALID', answer.bytes.toString());
      assert.equal(answer.status, 400);
      return (answer.json().data as { reason: string }).reason;
    };

    it('refuses neither, both, what is no request, a weak key, and a request signed by another key', async () => {
      const one = 'exactly one of a signing request, a certificate and a name in certificates is needed';
      const { request: signingRequest } = await createClientKey('pacs');
      assert.equal(await refused({}), one);
      assert.equal(await refused({ signingRequest, certificateName: 'dns:pacs.example' }), one);
      assert.equal(await refused({ signingRequest: 'nothing' }), 'the signing request is not a PKCS#10 in PEM');
      assert.equal(await refused({ certificate: 'nothing' }), 'the certificate is not one in PEM');
      const site = await createSite(NOW);
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
      const { cert } = await site.issue({ names: [], spki: weak.publicKey.export({ type: 'spki', format: 'der' }) });
      assert.match(String(await refused({ certificate: cert })), /^its key is none of RSA with 2048/);
      const damaged = signingRequest.split('\n');
      const last = damaged.length - 3;
      damaged[last] = (damaged[last] ?? '').replace(
        /.{8}$/,
        (tail) => (tail.startsWith('A') ? 'B' : 'A') + tail.slice(1),
      );
      assert.match(
        String(await refused({ signingRequest: damaged.join('\n') })),
        /not signed by its own key|not a PKCS#10/,
      );
    });

    it('refuses a second good client for one certificate', async () => {
      const { shown } = await clients.addIssued();
      assert.match(
        String(await refused({ certificate: shown.cert, subject: 'ehr' })),
        /stands for client [0-9a-f]{32} already/,
      );
    });

    it('lets nobody but an administrator add clients or authorities', async () => {
      const reader = await clients.h.token('records:read', 'node:read', 'audit:read');
      for (const [method, path] of [
        ['POST', '/v1/clients'],
        ['GET', '/v1/clients/authorities'],
        ['PUT', '/v1/clients/authorities'],
        ['GET', '/v1/clients/revocations'],
        ['PUT', '/v1/clients/revocations'],
      ] as const)
        assert.equal(
          (await clients.h.call(method, path, { token: reader, json: {} })).status,
          403,
          `${method} ${path}`,
        );
    });
  });
});
