import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { parseRevocationList, serialOf } from '../../../../appliance/gateway/revocation-list.ts';
import { createSite } from './site-authority.ts';

const NOW = Date.parse('2026-11-30T06:00:00.000Z');
const derOf = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');

test('a list with any byte changed is no list, or signed by nobody', async () => {
  const site = await createSite(NOW);
  const key = new X509Certificate(site.certificate).publicKey;
  const der = derOf(await site.revoke([await site.issue({ names: [] })], { number: 5 }));
  assert.equal(parseRevocationList(der).isSignedBy(key), true);
  for (let at = 0; at < der.length; at++) {
    for (const bit of [0x01, 0x80]) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ bit;
      assert.equal(isGood(changed, key), false, `byte ${at}`);
    }
  }
  for (let length = 0; length < der.length; length++) assert.equal(isGood(der.subarray(0, length), key), false);
  assert.equal(isGood(Buffer.concat([der, Buffer.of(0)]), key), false);
});

test('what a list says is what was put into it, by serial numbers as certificates have them', async () => {
  const site = await createSite(NOW);
  const taken = [await site.issue({ names: [] }), await site.issue({ names: [] })];
  const kept = await site.issue({ names: [] });
  const list = parseRevocationList(derOf(await site.revoke(taken, { number: 100, until: NOW + 1000 })));
  assert.deepEqual([list.number, list.nextUpdate, list.revoked.size], [100n, NOW + 1000, 2]);
  const isRevoked = ({ cert }: { cert: string }) => list.revoked.has(serialOf(new X509Certificate(cert).raw));
  assert.deepEqual([...taken, kept].map(isRevoked), [true, true, false]);
  const other = await createSite(NOW);
  assert.equal(list.isSignedBy(new X509Certificate(other.certificate).publicKey), false);
});

/** Anything but a RangeError is a fault of the reader. */
function isGood(der: Uint8Array, key: X509Certificate['publicKey']): boolean {
  try {
    return parseRevocationList(der).isSignedBy(key);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}
