import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeAddress,
  encodeNameConstraints,
  isPermittedName,
} from '../../../../appliance/gateway/name-constraints.ts';
import {
  type Certificates,
  certificateNames,
  createCertificates,
  isRenewalDue,
  renewServerCertificate,
} from '../../../../appliance/gateway/tls.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const DAY_MS = 86_400_000;
const now = Date.UTC(2026, 10, 23);
const request0 = { nodeId: 'ab'.repeat(16), hostName: 'Ward-3', names: ['pacs.clinic.example', '192.0.2.7'], now };

describe('createCertificates', () => {
  let made: Certificates;
  before(async () => {
    made = await createCertificates(request0);
  });

  it('makes a critical, path-limited CA of ten years', () => {
    const ca = new X509Certificate(made.caCertificate);
    assert.equal(ca.ca, true);
    assert.ok(ca.verify(ca.publicKey));
    assert.equal(Math.round((Date.parse(ca.validTo) - now) / DAY_MS), 3652);
  });

  it('makes a server certificate of 397 days for every name, signed by the CA', () => {
    const server = new X509Certificate(made.serverCertificate);
    const ca = new X509Certificate(made.caCertificate);
    assert.ok(server.checkIssued(ca) && server.verify(ca.publicKey));
    assert.equal(server.ca, false);
    assert.equal(Math.round((Date.parse(server.validTo) - now) / DAY_MS), 397);
    for (const name of ['localhost', 'ward-3', 'pacs.clinic.example']) assert.equal(server.checkHost(name), name);
    for (const name of ['127.0.0.1', '::1', '192.0.2.7']) assert.equal(server.checkIP(name), name);
    assert.equal(certificateNames(made.serverCertificate).length, 6);
    assert.deepEqual(server.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  });

  it('is due for renewal thirty days before the end, not earlier', () => {
    assert.equal(isRenewalDue(made.serverCertificate, now + 366 * DAY_MS), false);
    assert.equal(isRenewalDue(made.serverCertificate, now + 368 * DAY_MS), true);
  });

  it('renews with another key under the same CA', async () => {
    const later = await renewServerCertificate({ ...request0, ...made, now: now + 380 * DAY_MS });
    const server = new X509Certificate(later.serverCertificate);
    assert.ok(server.verify(new X509Certificate(made.caCertificate).publicKey));
    assert.notEqual(later.serverKey, made.serverKey);
  });

  it('allows a new private address, and refuses a name outside of the constraints', async () => {
    await renewServerCertificate({ ...request0, ...made, names: ['10.1.2.3', 'fd00::9'] });
    for (const name of [
      'bank.example',
      'clinic.example',
      '8.8.8.8',
      '2001:db8::1',
      'xpacs.clinic.example',
      'bad name',
    ]) {
      await assert.rejects(renewServerCertificate({ ...request0, ...made, names: [name] }), (error) =>
        isNectarError(error, 'GATEWAY_CERTIFICATE_NAME_EXCLUDED'),
      );
    }
  });

  it('leaves out a machine name that no certificate can carry', async () => {
    const odd = await createCertificates({ ...request0, hostName: 'ward_3!', names: [] });
    assert.deepEqual(certificateNames(odd.serverCertificate).slice(0, 2), ['localhost', '127.0.0.1']);
    assert.equal(certificateNames(odd.serverCertificate).length, 3);
  });
});

describe('the TLS stack of Node', () => {
  const connect = async (certificates: Certificates, servername: string, trusted: string): Promise<string> => {
    const server = createServer({ cert: certificates.serverCertificate, key: certificates.serverKey }, (_, res) =>
      res.end('ok'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await new Promise<string>((resolve) => {
        request({ host: '127.0.0.1', port, servername, ca: trusted, agent: false }, (res) =>
          resolve(String(res.statusCode)),
        )
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.message))
          .end();
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it('accepts the chain, and refuses it under another CA', async () => {
    const today = { ...request0, now: Date.now() };
    const [mine, other] = await Promise.all([createCertificates(today), createCertificates(today)]);
    assert.equal(await connect(mine, 'localhost', mine.caCertificate), '200');
    assert.equal(await connect(mine, 'pacs.clinic.example', mine.caCertificate), '200');
    assert.notEqual(await connect(mine, 'localhost', other.caCertificate), '200');
  });

  it('enforces the name constraints of the CA', async () => {
    const today = { ...request0, now: Date.now() };
    const mine = await createCertificates(today);
    // A thief who holds the CA key ignores our own check; every client's TLS stack still refuses the name.
    const forged = await forge(mine);
    assert.match(
      await connect({ ...mine, ...forged }, 'bank.example', mine.caCertificate),
      /permitted subtree violation/,
    );
  });

  async function forge(mine: Certificates): Promise<{ serverCertificate: string; serverKey: string }> {
    const x509 = await import('@peculiar/x509');
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const signingKey = await crypto.subtle.importKey('pkcs8', Uint8Array.from(mine.caKey), algorithm, false, ['sign']);
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const ca = new x509.X509Certificate(mine.caCertificate);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: 'CN=thief',
      issuer: ca.subjectName,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'bank.example' }])],
    });
    const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { serverCertificate: certificate.toString('pem'), serverKey: x509.PemConverter.encode(key, 'PRIVATE KEY') };
  }
});

describe('name constraints', () => {
  it('permit exactly what was given, subdomains and private ranges', () => {
    const constraints = encodeNameConstraints(['clinic.example', '198.51.100.4', '2001:db8::7']);
    for (const name of [
      'clinic.example',
      'a.clinic.example',
      '198.51.100.4',
      '2001:db8::7',
      '127.9.9.9',
      '172.31.0.1',
      'fd12::1',
    ]) {
      assert.equal(isPermittedName(constraints, name), true, name);
    }
    for (const name of [
      'example',
      'xclinic.example',
      '198.51.100.5',
      '2001:db8::8',
      '172.32.0.1',
      '11.0.0.1',
      'fe80::1',
    ]) {
      assert.equal(isPermittedName(constraints, name), false, name);
    }
  });

  it('encode every IPv6 address to the octets that it was written from', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
        const groups = Array.from({ length: 8 }, (_, i) =>
          (((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0)).toString(16),
        );
        assert.deepEqual(encodeAddress(groups.join(':')), [...octets]);
      }),
    );
    assert.deepEqual(encodeAddress('::ffff:192.0.2.1').slice(10), [255, 255, 192, 0, 2, 1]);
  });
});
