import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { type Harness, startHarness } from './harness.ts';

let h: Harness;
before(async () => {
  h = await startHarness();
});
after(() => h.stop());

/** What is negotiated; undefined when the gateway refuses. */
function shake(options: ConnectionOptions): Promise<string | undefined> {
  const at = { host: '127.0.0.1', port: h.port, servername: 'localhost', ca: h.certificates.caCertificate };
  return new Promise((resolve) => {
    const socket = connect({ ...at, ...options }, () => {
      resolve(socket.getCipher().standardName);
      socket.destroy();
    }).on('error', () => resolve(undefined));
  });
}

function renegotiates(): Promise<boolean> {
  const at = { host: '127.0.0.1', port: h.port, servername: 'localhost', ca: h.certificates.caCertificate };
  return new Promise((resolve) => {
    const socket = connect({ ...at, maxVersion: 'TLSv1.2' }, () => {
      socket.resume();
      socket.renegotiate({}, (error) => resolve(error === null));
    });
    socket.on('error', () => resolve(false)).on('close', () => resolve(false));
  });
}

test('lets no client begin a second handshake', async () => {
  assert.equal(await renegotiates(), false);
});

test('keeps to its ciphers and versions with a renewed certificate too', async () => {
  const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA' } as const;
  const good = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } as const;
  for (const renewed of [false, true]) {
    if (renewed) await h.gateway.reloadCertificate();
    assert.equal(await shake(weak), undefined);
    assert.equal(await shake(good), 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
    assert.equal(await renegotiates(), false);
  }
});
