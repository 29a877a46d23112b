import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { before, test } from 'node:test';
import { Extension, X509CrlGenerator } from '@peculiar/x509';
import { type PartialKind, PartialListError } from '../../../../appliance/gateway/partial-list.ts';
import { parseRevocationList } from '../../../../appliance/gateway/revocation-list.ts';

const NOW = Date.parse('2026-11-30T06:00:00.000Z');
const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NUMBER = new Extension('2.5.29.20', false, Uint8Array.of(2, 1, 7));

let keys: webcrypto.CryptoKeyPair;
before(async () => {
  keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
});

/** A list, DER, with these extensions beside its number. */
async function listWith(extensions: readonly Extension[], entries: object[] = []): Promise<Uint8Array> {
  const list = await X509CrlGenerator.create({
    issuer: 'CN=Clinic',
    thisUpdate: new Date(NOW - DAY_MS),
    nextUpdate: new Date(NOW + DAY_MS),
    entries: entries.map((one) => ({ serialNumber: '01aa', revocationDate: new Date(NOW - DAY_MS), ...one })),
    extensions: [NUMBER, ...extensions],
    signingKey: keys.privateKey,
    signingAlgorithm: ALGORITHM,
  });
  return new Uint8Array(list.rawData);
}

const partial = (kind: PartialKind, extension: string) => (error: unknown) =>
  (error instanceof PartialListError && error.kind === kind && error.extension === extension) ||
  assert.fail(String(error));

/** DER of IssuingDistributionPoint (RFC 5280, 5.2.5). */
const SCOPES: Readonly<Record<string, readonly [bytes: readonly number[], kind: PartialKind]>> = {
  'nothing in it': [[0x30, 0], 'scoped'],
  'certificates of users alone': [[0x30, 3, 0x81, 1, 0xff], 'scoped'],
  'certificates of authorities alone': [[0x30, 3, 0x82, 1, 0xff], 'scoped'],
  'some reasons alone': [[0x30, 4, 0x83, 2, 7, 0x80], 'scoped'],
  'attribute certificates alone': [[0x30, 3, 0x85, 1, 0xff], 'scoped'],
  indirect: [[0x30, 3, 0x84, 1, 0xff], 'indirect'],
  'indirect, of users': [[0x30, 6, 0x81, 1, 0xff, 0x84, 1, 0xff], 'indirect'],
  'one distribution point': [[0x30, 8, 0xa0, 6, 0xa0, 4, 0x86, 2, 0x61, 0x3a], 'scoped'],
};

for (const critical of [true, false]) {
  const how = critical ? 'a critical' : 'a forgotten critical';

  test(`a delta list is no whole list, by ${how} indicator`, async () => {
    const der = await listWith([new Extension('2.5.29.27', critical, Uint8Array.of(2, 1, 6))]);
    assert.throws(() => parseRevocationList(der), partial('delta', '2.5.29.27'));
  });

  test(`a list for a part of the certificates is no whole list, by ${how} distribution point`, async () => {
    for (const [what, [bytes, kind]] of Object.entries(SCOPES)) {
      const der = await listWith([new Extension('2.5.29.28', critical, Uint8Array.from(bytes))]);
      assert.throws(() => parseRevocationList(der), partial(kind, '2.5.29.28'), what);
    }
  });
}

test('an extension that nobody here knows makes a list unusable when it is critical, and says nothing when it is not', async () => {
  const unknown = (critical: boolean) =>
    listWith([new Extension('1.3.6.1.4.1.311.21.4', critical, Uint8Array.of(5, 0))]);
  await assert.rejects(unknown(true).then(parseRevocationList), partial('unknown', '1.3.6.1.4.1.311.21.4'));
  assert.equal(parseRevocationList(await unknown(false)).number, 7n);
});

test('an entry of another issuer, or one that takes a certificate out of a list, is of no whole list', async () => {
  const other = await listWith([], [{ issuer: 'CN=Another' }]);
  assert.throws(() => parseRevocationList(other), partial('indirect', '2.5.29.29'));
  const removed = await listWith([], [{ reason: 8 }]);
  assert.throws(() => parseRevocationList(removed), partial('delta', '2.5.29.21'));
  const revoked = parseRevocationList(await listWith([], [{ reason: 1 }, { serialNumber: '02bb', reason: 4 }]));
  assert.deepEqual(revoked.revoked, new Set(['01aa', '02bb']));
});

/** Made by OpenSSL 3.0.19, `ca -gencrl`: `2.5.29.27 = critical,ASN1:INTEGER:1`, and `issuingDistributionPoint` with onlyuser and indirectCRL. */
const OPENSSL = {
  full: 'MIHKMHECAQEwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGQ2xpbmljFw0yNjExMzAxNDI3MTdaFw0yNjEyMzAxNDI3MTdaoC8wLTAfBgNVHSMEGDAWgBTx27NsyxEkoGop5NBOE8+aVGmIoTAKBgNVHRQEAwIBBzAKBggqhkjOPQQDAgNJADBGAiEAxn+Vyop5J/dk/3+jztU4jXCbSlS7v9xnWDNaiBd7b40CIQCkd7E8bZw+Ar5viONNMCpwxUhsfdtTEyR/lA1JLbZ0Bg==',
  delta:
    'MIHaMIGAAgEBMAoGCCqGSM49BAMCMBExDzANBgNVBAMMBkNsaW5pYxcNMjYxMTMwMTQyNzE3WhcNMjYxMjMwMTQyNzE3WqA+MDwwHwYDVR0jBBgwFoAU8duzbMsRJKBqKeTQThPPmlRpiKEwDQYDVR0bAQH/BAMCAQEwCgYDVR0UBAMCAQgwCgYIKoZIzj0EAwIDSQAwRgIhAPFCwRODVfYbt94jdMT0LYk3jiomwEpo6vISIQizpd8xAiEA3mYMHIRALC8rKm1sSNgOuBh5HjbcAWDYQXDxfhjzQSw=',
  idp: 'MIG6MGECAQEwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGQ2xpbmljFw0yNjExMzAxNDI3MTdaFw0yNjEyMzAxNDI3MTdaoB8wHTAPBgNVHRwBAf8EBTADgQH/MAoGA1UdFAQDAgEJMAoGCCqGSM49BAMCA0kAMEYCIQDfoEuhtYJApYptHloAls2Aqoz+iIto673wx0W6OKU1ygIhAMjo2rB/tkzrw43D8PIEEOg9uXuYjlTSZNxLTCi3D8RC',
  ind: 'MIG6MGECAQEwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGQ2xpbmljFw0yNjExMzAxNDI3MTdaFw0yNjEyMzAxNDI3MTdaoB8wHTAPBgNVHRwBAf8EBTADhAH/MAoGA1UdFAQDAgEKMAoGCCqGSM49BAMCA0kAMEYCIQDZ4lQ1Ys6atdShOwNkM9FziphLhO8eVa0sHnhjOX2ekAIhANe7sZe7eS5omP0iB52vAFb4m71EfB9Quaj/3g5/4HRQ',
};

test('lists that OpenSSL made are told apart', () => {
  const read = (base64: string) => parseRevocationList(Buffer.from(base64, 'base64'));
  assert.deepEqual([read(OPENSSL.full).number, read(OPENSSL.full).revoked.size], [7n, 0]);
  assert.throws(() => read(OPENSSL.delta), partial('delta', '2.5.29.27'));
  assert.throws(() => read(OPENSSL.idp), partial('scoped', '2.5.29.28'));
  assert.throws(() => read(OPENSSL.ind), partial('indirect', '2.5.29.28'));
});
