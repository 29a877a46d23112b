import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Clients, NOW, startClients } from './clients-harness.ts';
import { createSite, type Site, type SiteCertificate } from './site-authority.ts';

const _CONTEXT = { actor: { subject: 'admin' }, requestId: 'r' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('certificates that an authority of the site took back', () => {
  let site: Site;
  let good: SiteCertificate;
  let stolen: SiteCertificate;
  let clients: Clients;
  const names = ['pacs.clinic.example'];
  const put = async (path: string, json: object, status = 200) => {
    const answer = await clients.h.call('PUT', path, { token: clients.admin, json });
    assert.equal(answer.status, status, answer.bytes.toString());
    return answer.json();
  };
  const trust = (certificates: string) => put('/v1/clients/authorities', { certificates });
  const give = (lists: string, status = 200) => put('/v1/clients/revocations', { lists }, status);
  const states = () => clients.h.gateway.clientRevocations().map(({ state }) => state);
  const codeOf = async (shown: SiteCertificate) => {
    const { status, code } = await clients.as(shown).ask();
    return code ?? status;
  };

  before(async () => {
    site = await createSite(NOW);
    good = await site.issue({ names });
    stolen = await site.issue({ names });
  });
  beforeEach(async () => {
    clients = await startClients();
    await trust(site.certificate);
    await clients.add({ certificateName: 'dns:pacs.clinic.example' });
  });
  afterEach(() => clients.stop());

  it('are good for nothing from that moment, in connections that are open too; others stay good', async () => {
    const open = clients.as(stolen);
    assert.equal((await open.ask()).status, 200);
    const { revocations } = await give(await site.revoke([stolen], { number: 7 }));
    assert.deepEqual(
      (revocations as Record<string, unknown>[]).map(({ state, number, revoked }) => [state, number, revoked]),
      [['current', '7', 1]],
    );
    assert.equal((await open.ask()).code, 'GATEWAY_CLIENT_CERTIFICATE_REVOKED');
    assert.equal(await codeOf(stolen), 'GATEWAY_CLIENT_CERTIFICATE_REVOKED');
    assert.equal(await codeOf(good), 200);
    const leaf = clients.h.audit.events.find(({ type }) => type === 'client.revocations');
    assert.deepEqual([leaf?.outcome, leaf?.detail?.count], ['success', 1]);
    assert.match(String(leaf?.detail?.numbers), /^[0-9A-F]{16}:7$/);
  });

  it('open nothing beside a token that is bound to them, nor as a key that was listed', async () => {
    const bound = await clients.add({ certificateName: 'dns:pacs.clinic.example', withToken: true });
    await clients.add({ certificate: stolen.cert, subject: 'by-key' });
    assert.equal((await clients.as(stolen).ask(bound.token)).status, 200);
    await give(await site.revoke([stolen], { number: 1 }));
    assert.equal((await clients.as(stolen).ask(bound.token)).code, 'GATEWAY_CLIENT_CERTIFICATE_REVOKED');
    assert.equal(await codeOf(stolen), 'GATEWAY_CLIENT_CERTIFICATE_REVOKED');
  });

  it('are known by no list that has expired, lacks a number, covers a part, or is of another issuer', async () => {
    const other = await createSite(NOW);
    const onlyCertificates = await createSite(NOW, NOW + DAY_MS, { usages: 32 });
    await trust(site.certificate + onlyCertificates.certificate);
    const whole = await site.revoke([stolen], { number: 1 });
    for (const [pem, reason] of [
      [await site.revoke([], { number: 1, until: NOW - 1000 }), 'one has expired'],
      [await site.revoke([], { number: 1, from: NOW + DAY_MS, until: NOW + 2 * DAY_MS }), 'one begins in the future'],
      [await site.revoke([], {}), 'it has no number'],
      [await other.revoke([], { number: 1 }), 'one is signed by no authority of the site'],
      [await onlyCertificates.revoke([], { number: 1 }), 'one is signed by no authority of the site'],
      [whole.replace(/[A-Za-z0-9]{30}/, 'A'.repeat(30)), /^(it is|an element|a length|one is|two algorithms|bytes)/],
      ['nothing', 'there is no revocation list in PEM'],
      [whole.repeat(17), 'there are more than 16 lists'],
    ] as const) {
      const refused = await give(pem, 400);
      assert.equal(refused.code, 'GATEWAY_CLIENT_REVOCATIONS_INVALID');
      const told = (refused.data as { reason: string }).reason;
      if (typeof reason === 'string') assert.equal(told, reason);
      else assert.match(told, reason);
    }
    assert.deepEqual(states(), []);
    assert.equal(await codeOf(good), 200);
  });

  it('are never known by a delta list, by one for a part of the certificates, or by one with what nobody here knows', async () => {
    await give(await site.revoke([stolen], { number: 1 }));
    for (const [extension, kind] of Object.entries({
      '2.5.29.27': 'delta',
      '2.5.29.28': 'scoped',
      '1.2.3': 'unknown',
    })) {
      const refused = await give(await site.revoke([], { number: 2, critical: extension }), 400);
      assert.deepEqual([refused.code, refused.data], ['GATEWAY_CLIENT_REVOCATIONS_PARTIAL', { kind, extension }]);
    }
    assert.deepEqual([await codeOf(good), await codeOf(stolen)], [200, 'GATEWAY_CLIENT_CERTIFICATE_REVOKED']);
  });

  it('keep all of the authority out once its list has ended, until the next one comes', async () => {
    await give(await site.revoke([stolen], { number: 1, until: NOW + HOUR_MS / 2 }));
    clients.h.node.now = NOW + HOUR_MS / 2;
    assert.deepEqual(states(), ['expired']);
    const refused = await clients.as(good).ask();
    assert.deepEqual([refused.code, refused.body.data], ['GATEWAY_CLIENT_REVOCATION_UNKNOWN', { state: 'expired' }]);
    assert.equal(await codeOf(stolen), 'GATEWAY_CLIENT_CERTIFICATE_REVOKED');
    assert.match(await clients.h.metrics.metrics(), /nectar_gateway_client_revocation_lists\{state="expired"\} 1/);
    await give(await site.revoke([stolen], { number: 2, until: NOW + 2 * DAY_MS }));
    assert.equal(await codeOf(good), 200);
  });

  it('do not come back by an older list, nor by another one of the same number', async () => {
    const older = await site.revoke([], { number: 4 });
    const newer = await site.revoke([stolen], { number: 5 });
    await give(newer);
    await give(newer);
    for (const pem of [older, await site.revoke([], { number: 5 })]) {
      const refused = await give(pem, 400);
      assert.deepEqual(refused.data, { reason: 'one is older than the one that is in force' });
    }
    await give(newer);
    assert.deepEqual([await codeOf(good), await codeOf(stolen)], [200, 'GATEWAY_CLIENT_CERTIFICATE_REVOKED']);
  });

  it('are good again only when an administrator forgets the lists, which is on record', async () => {
    await give(await site.revoke([stolen], { number: 5 }));
    await give('');
    assert.deepEqual(states(), []);
    assert.equal(await codeOf(stolen), 200);
    const leaves = clients.h.audit.events.filter(({ type }) => type === 'client.revocations');
    assert.deepEqual(
      leaves.map(({ detail }) => detail?.count),
      [1, 0],
    );
  });
});
