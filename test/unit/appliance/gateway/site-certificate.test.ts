import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { checkSitePair } from '../../../../appliance/gateway/site-certificate.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { startHarness } from './harness.ts';
import { createSite } from './site-authority.ts';

const DAY_MS = 86_400_000;
const NOW = Date.now();

async function pairOf(names: readonly string[], now = NOW) {
  const site = await createSite(now);
  const { cert, key } = await site.issue({ names, forServer: true });
  return { site, pair: { cert: Buffer.from(cert), key: Buffer.from(key) } };
}

function problemOf(pair: { cert: Buffer; key: Buffer }, now = NOW): string {
  try {
    checkSitePair(pair, now);
    return 'none';
  } catch (error) {
    return isNectarError(error, 'GATEWAY_SITE_CERTIFICATE_INVALID') ? error.data.problem : `another: ${error}`;
  }
}

test('takes a pair of the site with its chain, and says for which names and how long', async () => {
  const { site, pair } = await pairOf(['clinic.example', '*.clinic.example']);
  const whole = { ...pair, cert: Buffer.concat([pair.cert, Buffer.from(site.certificate)]) };
  const { names, validTo } = checkSitePair(whole, NOW);
  assert.deepEqual(names, ['clinic.example', '*.clinic.example']);
  assert.equal(validTo, new X509Certificate(pair.cert).validToDate.getTime());
});

test('refuses what clients would refuse, and says why', async () => {
  const { site, pair } = await pairOf(['clinic.example']);
  const other = await pairOf(['clinic.example']);
  const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits });
  const spki = rsa(1024).publicKey.export({ format: 'der', type: 'spki' });
  const weak = await site.issue({ names: ['clinic.example'], forServer: true, spki: new Uint8Array(spki) });
  const client = await site.issue({ names: ['clinic.example'] });
  const nameless = await site.issue({ names: [], forServer: true });
  const of = ({ cert, key }: { cert: string; key: string }) => ({ cert: Buffer.from(cert), key: Buffer.from(key) });
  const root = Buffer.from(site.certificate);
  const alien = Buffer.concat([pair.cert, Buffer.from(other.site.certificate)]);
  assert.match(problemOf({ ...pair, key: other.pair.key }), /not that of the certificate/);
  assert.match(problemOf({ ...pair, key: Buffer.from('no key') }), /no private key/);
  assert.match(problemOf({ ...pair, cert: Buffer.from('none') }), /no certificate in it/);
  assert.match(problemOf({ ...pair, cert: root }), /of an authority/);
  assert.match(problemOf({ ...pair, cert: alien }), /did not issue/);
  assert.match(problemOf(of(client)), /not for servers/);
  assert.match(problemOf(of(nameless)), /no DNS name/);
  assert.match(problemOf(of(weak)), /not that of the certificate|too weak/);
  assert.match(problemOf(pair, NOW + 60 * DAY_MS), /ended at/);
  assert.match(problemOf(pair, NOW - 10 * DAY_MS), /begins at/);
});

/** The fingerprint that a client sees who asks by a name. */
function seen(port: number, servername: string | undefined): Promise<string> {
  const to = { host: '127.0.0.1', port, rejectUnauthorized: false, ...(servername !== undefined && { servername }) };
  return new Promise((resolve, reject) => {
    const socket = connect(to, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    }).on('error', reject);
  });
}

test('is shown to who asks by its names, without a restart; everybody else sees the own one', async () => {
  const h = await startHarness();
  try {
    const own = await seen(h.port, undefined);
    const { pair } = await pairOf(['clinic.example'], h.node.now);
    assert.equal(await seen(h.port, 'clinic.example'), own);
    writeFileSync(join(h.folder, 'site.key'), pair.key);
    writeFileSync(join(h.folder, 'site.crt'), pair.cert);
    await h.gateway.reloadCertificate();
    const theirs = new X509Certificate(pair.cert).fingerprint256;
    assert.deepEqual(
      [await seen(h.port, 'clinic.example'), await seen(h.port, 'localhost'), await seen(h.port, undefined)],
      [theirs, own, own],
    );
    const token = await h.token('admin');
    const asked = await h.call('GET', '/v1/node', { token, headers: { host: 'clinic.example' } });
    assert.notEqual(asked.json().code, 'GATEWAY_HOST_UNKNOWN');

    const next = await pairOf(['clinic.example'], h.node.now);
    writeFileSync(join(h.folder, 'site.crt'), next.pair.cert);
    await h.gateway.reloadCertificate();
    assert.equal(await seen(h.port, 'clinic.example'), own, 'half of a pair is shown to nobody');
    writeFileSync(join(h.folder, 'site.key'), next.pair.key);
    await h.gateway.reloadCertificate();
    assert.equal(await seen(h.port, 'clinic.example'), new X509Certificate(next.pair.cert).fingerprint256);

    for (const name of ['site.crt', 'site.key']) rmSync(join(h.folder, name));
    await h.gateway.reloadCertificate();
    assert.equal(await seen(h.port, 'clinic.example'), own);
  } finally {
    await h.stop();
  }
});
