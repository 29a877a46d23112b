import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { keyHash } from '../../../../appliance/gateway/client-certificate.ts';
import { type ClientRevocations, openClientRevocations } from '../../../../appliance/gateway/client-revocations.ts';
import { revocationFiles } from '../../../../appliance/gateway/gateway-texts.ts';
import { serialOf } from '../../../../appliance/gateway/revocation-list.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { NOW } from './clients-harness.ts';
import { AuditDouble } from './doubles.ts';
import { createSite, type Site, type SiteCertificate } from './site-authority.ts';

const CONTEXT = { actor: { subject: 'admin' }, requestId: 'r' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('the files of revocation lists', () => {
  let folder: string;
  let site: Site;
  let good: SiteCertificate;
  let stolen: SiteCertificate;
  let trusted: X509Certificate[];
  let now: number;
  let audit: AuditDouble;
  const paths = () => ({ lists: join(folder, 'site.crl'), floors: join(folder, 'site-crl.json') });
  const open = (): Promise<ClientRevocations> =>
    openClientRevocations(revocationFiles(paths()), {
      site: () => trusted,
      now: () => now,
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      audit,
    });
  const codeOf = (revocations: ClientRevocations, shown: SiteCertificate, issuer: string = site.certificate) => {
    const chain = [
      { serial: serialOf(new X509Certificate(shown.cert).raw), issuer: keyHash(new X509Certificate(issuer)) },
    ];
    try {
      revocations.require(chain);
      return 'good';
    } catch (error) {
      return (error as NectarError).code;
    }
  };
  const stateOf = (revocations: ClientRevocations) => revocations.standing().map(({ state }) => state);
  const UNKNOWN = 'GATEWAY_CLIENT_REVOCATION_UNKNOWN';
  const REVOKED = 'GATEWAY_CLIENT_CERTIFICATE_REVOKED';

  before(async () => {
    site = await createSite(NOW);
    good = await site.issue({ names: [] });
    stolen = await site.issue({ names: [] });
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-crl-'));
    trusted = [new X509Certificate(site.certificate)];
    now = NOW;
    audit = new AuditDouble();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are held over a restart, and may be put there by hand', async () => {
    await (await open()).replace(await site.revoke([stolen], { number: 5 }));
    const again = await open();
    assert.deepEqual([codeOf(again, good), codeOf(again, stolen)], ['good', REVOKED]);
    await writeFile(paths().lists, await site.revoke([good], { number: 6 }));
    await again.look();
    assert.deepEqual([codeOf(again, good), codeOf(again, stolen)], [REVOKED, 'good']);
    await assert.rejects(again.replace(await site.revoke([stolen], { number: 5 })), /older than the one/);
  });

  it('that are put back to an older copy keep all out, at once and after a restart', async () => {
    const revocations = await open();
    await revocations.replace(await site.revoke([], { number: 4 }));
    await copyFile(paths().lists, join(folder, 'older'));
    await revocations.replace(await site.revoke([stolen], { number: 5 }));
    await copyFile(join(folder, 'older'), paths().lists);
    await revocations.look();
    for (const one of [revocations, await open()]) {
      assert.deepEqual(stateOf(one), ['behind']);
      assert.deepEqual([codeOf(one, good), codeOf(one, stolen)], [UNKNOWN, UNKNOWN]);
    }
    await revocations.replace(await site.revoke([stolen], { number: 6 }));
    assert.deepEqual([stateOf(revocations), codeOf(revocations, good)], [['current'], 'good']);
  });

  /** As the route does, whose leaf follows. */
  const give = async (revocations: ClientRevocations, pem: string) => {
    await revocations.replace(pem);
    const detail = { count: 1, floors: revocations.floors() };
    await audit.append({ type: 'client.revocations', outcome: 'success', context: CONTEXT, detail });
  };
  const leaves = () => audit.events.map(({ type }) => type);

  it('that are put back together with their numbers keep all out, by what the log says of the newest', async () => {
    const revocations = await open();
    await give(revocations, await site.revoke([], { number: 4 }));
    for (const name of ['lists', 'floors'] as const) await copyFile(paths()[name], join(folder, `older-${name}`));
    const newest = await site.revoke([stolen], { number: 5 });
    await give(revocations, newest);
    const putBack = async () => {
      for (const name of ['lists', 'floors'] as const) await copyFile(join(folder, `older-${name}`), paths()[name]);
    };
    for (const [running, take] of [
      [true, async () => revocations.look().then(() => revocations)],
      [false, open],
    ] as const) {
      await putBack();
      const one = await take();
      await one.hold();
      assert.deepEqual([stateOf(one), codeOf(one, good), codeOf(one, stolen)], [['behind'], UNKNOWN, UNKNOWN]);
      assert.equal(leaves().at(-1), 'notes.restore', running ? 'while it runs' : 'at a start');
      await give(one, newest);
      assert.deepEqual([stateOf(one), codeOf(one, good), codeOf(one, stolen)], [['current'], 'good', REVOKED]);
    }
  });

  it('that are gone, numbers and all, keep out whom the log knows to have a list', async () => {
    const revocations = await open();
    await give(revocations, await site.revoke([stolen], { number: 5 }));
    for (const path of Object.values(paths())) await rm(path);
    const again = await open();
    await again.hold();
    assert.deepEqual([stateOf(again), codeOf(again, good)], [['missing'], UNKNOWN]);
    await writeFile(paths().floors, '{"version":1}');
    await again.look();
    assert.deepEqual(stateOf(again), ['unreadable']);
    await again.hold();
    assert.deepEqual(stateOf(again), ['missing'], 'damaged numbers are those of the log again');
  });

  it('that were put there by hand are on record with their number, once', async () => {
    const revocations = await open();
    await writeFile(paths().lists, await site.revoke([good], { number: 6 }));
    await revocations.look();
    await revocations.hold();
    await (await open()).hold();
    assert.deepEqual(leaves(), ['client.revocations']);
    assert.match(String(audit.events[0]?.detail?.floors), /^[0-9a-f]{64}:6:[0-9a-f]{64}$/);
  });

  it('are judged as they were found while the log cannot be asked, and held as soon as it can', async () => {
    const revocations = await open();
    await give(revocations, await site.revoke([stolen], { number: 5 }));
    for (const path of Object.values(paths())) await rm(path);
    audit.fail = new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'not started' });
    const again = await open();
    await again.hold();
    assert.equal(codeOf(again, stolen), 'good');
    audit.fail = undefined;
    now += 250;
    await again.hold();
    assert.equal(codeOf(again, stolen), UNKNOWN);
  });

  it('that were forgotten on record are not brought back', async () => {
    const revocations = await open();
    await give(revocations, await site.revoke([stolen], { number: 5 }));
    await audit.append({ type: 'client.revocations', outcome: 'success', context: CONTEXT, detail: { floors: '' } });
    await revocations.replace('');
    const again = await open();
    await again.hold();
    assert.deepEqual([stateOf(again), codeOf(again, stolen)], [[], 'good']);
    assert.deepEqual(leaves(), ['client.revocations', 'client.revocations']);
  });

  it('that are damaged or gone keep all out until a list is given', async () => {
    const revocations = await open();
    await revocations.replace(await site.revoke([stolen], { number: 5 }));
    const damages: [string, () => Promise<unknown>][] = [
      ['unreadable', () => writeFile(paths().lists, '-----BEGIN X509 CRL-----\nMAAA\n-----END X509 CRL-----\n')],
      ['unreadable', () => writeFile(paths().lists, 'nothing')],
      ['unreadable', () => writeFile(paths().lists, Buffer.alloc(1024 * 1024 + 1, 0x20))],
      ['missing', () => rm(paths().lists)],
      ['missing', async () => writeFile(paths().lists, await (await createSite(NOW)).revoke([], { number: 9 }))],
    ];
    for (const [index, [state, damage]] of damages.entries()) {
      await damage();
      await revocations.look();
      for (const one of [revocations, await open()])
        assert.deepEqual([stateOf(one), codeOf(one, good)], [[state], UNKNOWN]);
      await revocations.replace(await site.revoke([stolen], { number: 6 + index }));
      assert.equal(codeOf(revocations, good), 'good');
    }
    await writeFile(paths().floors, '{"version":1}');
    await revocations.look();
    assert.deepEqual([stateOf(revocations), codeOf(revocations, good)], [['unreadable'], UNKNOWN]);
    await revocations.replace('');
    assert.deepEqual([stateOf(revocations), codeOf(revocations, stolen)], [[], 'good']);
  });

  it('keep out what an authority below issued, of which there is no list', async () => {
    const below = await createSite(NOW);
    const revocations = await open();
    await revocations.replace(await site.revoke([], { number: 1 }));
    const root = keyHash(new X509Certificate(site.certificate));
    const middle = keyHash(new X509Certificate(below.certificate));
    const chain = [
      { serial: '01', issuer: middle },
      { serial: '02', issuer: root },
    ];
    assert.throws(() => revocations.require(chain), { code: UNKNOWN });
    revocations.require([{ serial: '01', issuer: middle }]);
  });

  it('go by the key of an authority, whose certificate may be renewed; one that is not trusted has none', async () => {
    const authority = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const before = await createSite(NOW, NOW + DAY_MS, { authority });
    const renewed = await createSite(NOW, NOW + 9 * DAY_MS, { authority });
    trusted = [new X509Certificate(before.certificate)];
    const revocations = await open();
    await revocations.replace(await before.revoke([stolen], { number: 3 }));
    trusted = [new X509Certificate(renewed.certificate)];
    await revocations.look('again');
    assert.equal(codeOf(revocations, stolen, renewed.certificate), REVOKED);
    trusted = [];
    await revocations.look('again');
    assert.deepEqual(stateOf(revocations), []);
  });
});
