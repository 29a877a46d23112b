import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { Value } from 'typebox/value';
import { GatewayConfig } from '../../../../appliance/gateway/config.ts';
import type { GatewayDependencies } from '../../../../appliance/gateway/dependencies.ts';
import { createGateway } from '../../../../appliance/gateway/gateway.ts';
import { createCertificates, renewServerCertificate } from '../../../../appliance/gateway/tls.ts';
import type { Tokens } from '../../../../appliance/gateway/tokens.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { NODE_ID } from './doubles.ts';
import { clientPathsOf, eventually, openBody, startHarness } from './harness.ts';

describe('the life of a gateway', () => {
  it('refuses TLS below 1.2', async () => {
    const h = await startHarness();
    try {
      const options = { host: '127.0.0.1', port: h.port, servername: 'localhost', ca: h.certificates.caCertificate };
      const outcome = (max: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
        new Promise((resolve) => {
          const socket = connect(
            { ...options, minVersion: 'TLSv1', maxVersion: max, ciphers: 'DEFAULT@SECLEVEL=0' },
            () => {
              resolve(socket.getProtocol());
              socket.destroy();
            },
          ).on('error', () => resolve('refused'));
        });
      assert.deepEqual(
        [await outcome('TLSv1.1'), await outcome('TLSv1.2'), await outcome('TLSv1.3')],
        ['refused', 'TLSv1.2', 'TLSv1.3'],
      );
    } finally {
      await h.stop();
    }
  });

  it('closes the oldest connection that has shown no token for one over the number allowed', async () => {
    const h = await startHarness({ maxConnections: 2 });
    try {
      const first = await h.dial();
      const closed = new Promise((resolve) => first.once('close', resolve));
      const second = await h.dial();
      await closed;
      second.destroy();
    } finally {
      await h.stop();
    }
  });

  it('refuses a taken port, a foreign address, and certificates that do not fit, each with its code', async () => {
    const h = await startHarness();
    try {
      const paths = {
        certificatePath: join(h.folder, 'server.crt'),
        keyPath: join(h.folder, 'server.key'),
        hardeningPath: join(h.folder, 'hardening.json'),
        backupsPath: join(h.folder, 'backups.json'),
        clientPaths: clientPathsOf(h.folder),
      };
      const defaults = Value.Default(GatewayConfig, {}) as GatewayConfig;
      const attempt = (config: Partial<GatewayConfig>, files = paths) => {
        // None of these starts gets as far as a request: only what starting itself uses is there.
        const deps = {
          log: createLogger({ level: 'silent' }),
          metrics: createMetrics(),
          now: () => 0,
          tokens: { onRevoked: () => undefined } as Partial<Tokens> as Tokens,
        } as GatewayDependencies;
        const again = createGateway({ config: { ...defaults, ...config }, version: '0', ...files }, deps);
        return again.start(new AbortController().signal);
      };
      await assert.rejects(attempt({ port: h.port }), (error) => isNectarError(error, 'GATEWAY_PORT_IN_USE'));
      await assert.rejects(attempt({ host: '192.0.2.1', port: 0 }), (error) =>
        isNectarError(error, 'GATEWAY_LISTEN_REFUSED'),
      );
      const bad = (error: unknown) => isNectarError(error, 'GATEWAY_CERTIFICATE_INVALID');
      await assert.rejects(attempt({}, { ...paths, certificatePath: join(h.folder, 'none') }), bad);
      await writeFile(
        join(h.folder, 'odd.key'),
        (await createCertificates({ nodeId: NODE_ID, hostName: 'x', names: [], now: Date.now() })).serverKey,
      );
      await assert.rejects(attempt({}, { ...paths, keyPath: join(h.folder, 'odd.key') }), bad);
    } finally {
      await h.stop();
    }
  });

  it('says of itself where this machine reaches it, also when it listens on all addresses', async () => {
    const h = await startHarness({ host: '0.0.0.0' });
    try {
      assert.equal(h.gateway.url(), `https://127.0.0.1:${h.port}`);
    } finally {
      await h.stop();
    }
  });

  it('closes a connection whose client does not take its answer', async () => {
    const h = await startHarness({ responseStallTimeoutMs: 200 });
    try {
      const socket = await h.dial();
      const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
      socket.pause();
      const question = 'GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n';
      for (let i = 0; i < 300; i++) socket.write(question);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      socket.resume();
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      await closed;
      const whole = (await h.call('GET', '/openapi.json')).bytes.length * 300;
      assert.ok(bytes < whole, `${bytes} of ${whole}`);
    } finally {
      await h.stop();
    }
  });

  it('takes a renewed certificate into use without a restart', async () => {
    const h = await startHarness();
    try {
      const fingerprint = async () => {
        const socket = await h.dial();
        const { fingerprint256 } = socket.getPeerCertificate();
        socket.destroy();
        return fingerprint256;
      };
      const first = await fingerprint();
      const renewed = await renewServerCertificate({
        ...h.certificates,
        nodeId: NODE_ID,
        hostName: 'node',
        names: [],
        now: Date.now(),
      });
      await writeFile(join(h.folder, 'server.crt'), renewed.serverCertificate);
      await writeFile(join(h.folder, 'server.key'), renewed.serverKey);
      await h.gateway.reloadCertificate();
      assert.notEqual(await fingerprint(), first);
    } finally {
      await h.stop();
    }
  });

  it('stops soon after the last request, though clients keep their connections', async () => {
    const h = await startHarness({ drainTimeoutMs: 60_000, keepAliveTimeoutMs: 60_000 });
    const token = await h.token('admin');
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const last = h.call('POST', '/v1/records', { token, body: 'x' });
    await eventually(() => h.store.puts === 1, 'upload runs');
    const stopped = h.gateway.stop();
    open();
    assert.equal((await last).status, 201);
    // Without an end to idle connections this would take the minute of the drain, and the test's runner would end it.
    await Promise.race([
      stopped,
      new Promise((_, reject) => setTimeout(reject, 5_000, new Error('still open')).unref()),
    ]);
    await h.stop();
  });

  it('lets requests in flight finish when it stops, and aborts those that do not', async () => {
    const h = await startHarness({ drainTimeoutMs: 200 });
    const token = await h.token('admin');
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const finishing = h.call('POST', '/v1/records', { token, body: 'x' });
    await eventually(() => h.store.puts === 1, 'upload runs');
    const stuck = openBody();
    const aborted = h.call('POST', '/v1/records', { token, body: stuck });
    stuck.write('never ends');
    await eventually(() => h.store.puts === 2, 'second upload runs');
    const stopped = h.gateway.stop();
    open();
    assert.equal((await finishing).status, 201);
    await stopped;
    assert.equal((await aborted).status, 0);
    await eventually(() => h.store.aborts.length === 1, 'store aborted');
    assert.deepEqual(h.gateway.readiness(), { ready: false, reason: 'not listening' });
    assert.throws(
      () => h.gateway.url(),
      (error) => isNectarError(error, 'NODE_NOT_READY'),
    );
    await h.stop();
  });
});
