import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { isTokenDue } from '../../../../appliance/gateway/client-token.ts';
import {
  createCertificates,
  isAuthorityInForce,
  isRenewalDue,
  renewAuthority,
  renewServerCertificate,
} from '../../../../appliance/gateway/tls.ts';
import { NODE_ID } from './doubles.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);
const request = { nodeId: NODE_ID, hostName: 'node', names: ['clinic.internal'], now: NOW };

test('a certificate is made anew in its last thirty days, after its end and before its beginning', async () => {
  const { serverCertificate } = await createCertificates(request);
  const due = [-400, -1, 0, 1, 360, 370, 500].map((days) => isRenewalDue(serverCertificate, NOW + days * DAY_MS));
  assert.deepEqual(due, [true, true, false, false, false, true, true]);
});

test('so is the certificate of the CA, with its own key, so that what it issues is trusted at once', async () => {
  const ahead = { ...request, now: NOW + 380 * DAY_MS };
  const { caCertificate, caKey } = await createCertificates(ahead);
  assert.ok(!isAuthorityInForce(caCertificate, NOW));
  assert.ok(isAuthorityInForce(caCertificate, ahead.now));
  const names = ['clinic.internal', 'clinic.example'];
  const made = await renewAuthority({ ...request, names, caCertificate, caKey });
  assert.ok(isAuthorityInForce(made, NOW));
  const issued = await renewServerCertificate({ ...request, names, caCertificate: made, caKey });
  const [ca, leaf] = [new X509Certificate(made), new X509Certificate(issued.serverCertificate)];
  assert.ok(leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
  assert.ok(ca.publicKey.equals(new X509Certificate(caCertificate).publicKey));
  assert.equal(ca.subject, new X509Certificate(caCertificate).subject);
  assert.match(leaf.subjectAltName ?? '', /clinic\.example/);
});

test('a token of a clock that was ahead is made anew', () => {
  const token = (iat: number, exp: number): string =>
    `e30.${Buffer.from(JSON.stringify({ iat, exp })).toString('base64url')}.x`;
  const [now, day] = [NOW / 1000, 86_400];
  assert.equal(isTokenDue(token(now, now + 365 * day), NOW), false);
  assert.equal(isTokenDue(token(now + 60, now + 365 * day), NOW), false, 'a minute ahead');
  assert.equal(isTokenDue(token(now + 380 * day, now + 745 * day), NOW), true);
  assert.equal(isTokenDue(token(now - 350 * day, now + 15 * day), NOW), true);
});
