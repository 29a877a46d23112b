// First: tsyringe below @peculiar/x509 refuses to load without this polyfill.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { BasicConstraintsExtension, Extension, X509CertificateGenerator } from '@peculiar/x509';
import { type Certificates, createCertificates } from '../../../../appliance/gateway/tls.ts';
import { findOwnBindings } from '../../../../hardening/collectors/bindings.ts';
import { isConstrained } from '../../../../hardening/collectors/certificate.ts';
import type { ExpectedListener } from '../../../../hardening/collectors/listener.ts';
import { createListenersCollector } from '../../../../hardening/collectors/listeners.ts';
import type { NodeApi } from '../../../../hardening/collectors/node-api.ts';
import type { Observation, Subject } from '../../../../hardening/fact-set.ts';
import { FACTS, type FactIdOf } from '../../../../hardening/facts/index.ts';

const NODE_ID = '3f2a9c5e7b1d4f608192a3b4c5d6e7f8';
const NOW = Math.floor(Date.now() / 1000) * 1000 + 500;
const MODERN = 'TLS_AES_256_GCM_SHA384:ECDHE+AESGCM:ECDHE+CHACHA20';
let own: Certificates;

before(async () => {
  own = await createCertificates({ nodeId: NODE_ID, hostName: 'clinic', names: [], now: NOW });
});

function tlsOptions(options: TlsOptions): TlsOptions {
  return { key: own.serverKey, cert: own.serverCertificate, ...options };
}

async function listening(t: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function expected(port: number, others: Partial<ExpectedListener> = {}): ExpectedListener {
  const host = '127.0.0.1';
  return { name: 'gateway', speaks: 'https', host, port, configured: { host, port }, ...others };
}

async function observe(listener: ExpectedListener, authority: string = own.caCertificate, api?: NodeApi) {
  const collector = createListenersCollector(
    { listeners: [listener], authority, now: () => NOW },
    { findBindings: findOwnBindings, api },
  );
  const [subject] = await collector.collect(new AbortController().signal);
  return valuesOf(subject);
}

/** The value of each fact, or its error or absence as it is. */
function valuesOf(subject: Subject | undefined): Partial<Record<FactIdOf<'listener'>, unknown>> {
  assert.ok(subject);
  return Object.fromEntries(
    Object.entries(subject.facts).map(([id, seen]: [string, Observation]) => [id, 'value' in seen ? seen.value : seen]),
  );
}

test('sees a gateway that speaks modern TLS only', async (t) => {
  const server = createHttpsServer(tlsOptions({ minVersion: 'TLSv1.2', ciphers: MODERN }), (request, response) => {
    const { authorization = '' } = request.headers;
    response.writeHead(request.method === 'TRACE' ? 405 : authorization === '' ? 401 : 403, {
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    response.end('no');
  });
  const port = await listening(t, server);
  const seen = await observe(expected(port));
  assert.equal(seen['listener.address'], `127.0.0.1:${port}`);
  assert.equal(seen['listener.loopback'], true);
  assert.equal(seen['listener.allInterfaces'], false);
  assert.equal(seen['listener.asConfigured'], true);
  assert.equal(seen['listener.reachable'], true);
  assert.equal(seen['listener.tls'], true);
  assert.deepEqual(seen['listener.tlsVersions'], ['1.2', '1.3']);
  assert.deepEqual(seen['listener.weakCiphers'], []);
  assert.deepEqual(seen['listener.ciphers'], ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']);
  assert.ok((seen['listener.keyExchange'] as string[]).includes('X25519'));
  assert.equal(seen['listener.certificateDaysLeft'], 396);
  assert.equal(seen['listener.certificateDays'], 397);
  assert.equal(seen['listener.certificateKey'], 'EC P-256');
  assert.equal(seen['listener.certificateSignature'], 'sha256');
  assert.equal(seen['listener.certificateTrusted'], true);
  assert.equal(seen['listener.certificateNamesMatch'], true);
  assert.equal(seen['listener.constrainedAuthority'], true);
  assert.equal(seen['listener.plainHttp'], false);
  assert.equal(seen['listener.anonymousStatus'], 401);
  assert.equal(seen['listener.wrongTokenStatus'], 403);
  assert.equal(seen['listener.wrongCertificateStatus'], 401);
  assert.equal(seen['listener.traceStatus'], 405);
  assert.equal(seen['listener.oversizedHeaderStatus'], 431);
  assert.deepEqual(seen['listener.securityHeaders'], ['cache-control', 'x-content-type-options']);
  assert.equal(seen['listener.serverHeader'], '');
  assert.equal(seen['listener.crossOrigin'], false);
  assert.deepEqual(seen['listener.noise'], { absent: 'it is for no peers' });
  assert.deepEqual(seen['listener.compressed'], { error: "the owner's token could not be read" });
});

test('sees old TLS, weak ciphers, renegotiation, and what a careless server says of itself', async (t) => {
  const weak = tlsOptions({ minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' });
  const server = createHttpsServer(weak, (_, response) => {
    response.writeHead(200, { server: 'Careless/1.0', 'x-powered-by': 'hope', 'access-control-allow-origin': '*' });
    response.end('everything');
  });
  const port = await listening(t, server);
  const gzipped: NodeApi = {
    request: async () => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body: new Uint8Array() }),
  };
  const seen = await observe(expected(port), own.caCertificate, gzipped);
  assert.deepEqual(seen['listener.tlsVersions'], ['1.0', '1.1', '1.2', '1.3']);
  const ciphers = seen['listener.weakCiphers'] as string[];
  assert.ok(ciphers.includes('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'), ciphers.join(' '));
  assert.ok(!ciphers.some((name) => /ECDHE_ECDSA_WITH_(AES_\d+_GCM|CHACHA20)/.test(name)), ciphers.join(' '));
  assert.equal(seen['listener.renegotiation'], true);
  assert.equal(seen['listener.anonymousStatus'], 200);
  assert.equal(seen['listener.serverHeader'], 'Careless/1.0, hope');
  assert.equal(seen['listener.crossOrigin'], true);
  assert.equal(seen['listener.compressed'], true);
});

test('shows a certificate that nobody issued, and sees who is let in by one', async (t) => {
  const names: (string | undefined)[] = [];
  const options = { ...tlsOptions({}), requestCert: true, rejectUnauthorized: false };
  const server = createHttpsServer(options, (request, response) => {
    const shown = (request.socket as TLSSocket).getPeerX509Certificate();
    names.push(shown?.subject);
    response.writeHead(shown === undefined ? 401 : 200).end();
  });
  const seen = await observe(expected(await listening(t, server)), own.caCertificate);
  assert.equal(seen['listener.anonymousStatus'], 401);
  assert.equal(seen['listener.wrongCertificateStatus'], 200);
  assert.ok(names.includes('CN=stranger'));
});

test('tells a certificate of another authority, for another name, and one that has expired', async (t) => {
  const past = await createCertificates({
    nodeId: NODE_ID,
    hostName: 'clinic',
    names: [],
    now: NOW - 400 * 86_400_000,
  });
  const server = createHttpsServer({ key: past.serverKey, cert: past.serverCertificate }, (_, response) =>
    response.end(),
  );
  const port = await listening(t, server, '0.0.0.0');
  const seen = await observe(expected(port, { host: '127.0.0.2' }));
  assert.equal(seen['listener.certificateTrusted'], false);
  assert.equal(seen['listener.certificateDaysLeft'], -4);
  assert.equal(seen['listener.certificateNamesMatch'], false);
  const trusting = await observe(expected(port), past.caCertificate);
  assert.equal(trusting['listener.certificateTrusted'], true);
  assert.equal(trusting['listener.certificateNamesMatch'], true);
});

test('sees plain HTTP where TLS was expected, and asks the metrics listener for nothing secret', async (t) => {
  const server = createHttpServer((_, response) => response.writeHead(404).end());
  const port = await listening(t, server, '0.0.0.0');
  const seen = await observe(expected(port));
  assert.equal(seen['listener.tls'], false);
  assert.equal(seen['listener.plainHttp'], true);
  assert.equal(seen['listener.allInterfaces'], true);
  assert.equal(seen['listener.loopback'], false);
  assert.equal(seen['listener.asConfigured'], false);
  assert.deepEqual(seen['listener.tlsVersions'], { absent: 'it speaks no TLS' });
  const metrics = await observe(expected(port, { name: 'metrics', speaks: 'http' }));
  assert.equal(metrics['listener.anonymousStatus'], 404);
  assert.deepEqual(metrics['listener.compressed'], { absent: 'its answers carry no secrets' });
});

/** Answers multistream-select for the protocols given. */
function createPeer(protocols: readonly string[]): Server {
  const line = (text: string): Buffer => Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)]);
  return createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      const wanted = protocols.find((name) => data.includes(line(name)));
      if (!data.includes(line('/multistream/1.0.0'))) socket.destroy();
      else socket.end(Buffer.concat([line('/multistream/1.0.0'), line(wanted ?? 'na')]));
    });
  });
}

test('asks a peer which connections it takes', async (t) => {
  const good = await listening(t, createPeer(['/noise']));
  const peer = { name: 'p2p', speaks: 'libp2p' } as const;
  const seen = await observe(expected(good, peer));
  assert.equal(seen['listener.noise'], true);
  assert.equal(seen['listener.plaintextOffered'], false);
  assert.equal(seen['listener.tls'], false);
  assert.equal(seen['listener.plainHttp'], false);
  assert.deepEqual(seen['listener.anonymousStatus'], { absent: 'it speaks no HTTP' });

  const bad = await observe(expected(await listening(t, createPeer(['/plaintext/2.0.0'])), peer));
  assert.equal(bad['listener.noise'], false);
  assert.equal(bad['listener.plaintextOffered'], true);

  const mute = createTcpServer((socket) => socket.destroy());
  const cut = await observe(expected(await listening(t, mute), peer));
  assert.deepEqual(cut['listener.noise'], { error: 'what answers there does not speak multistream-select' });
});

test('answers every fact of a listener where nothing listens, with why it could not be seen', async (t) => {
  const port = await listening(t, createTcpServer());
  const closed = createTcpServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const gone = (closed.address() as AddressInfo).port;
  closed.close();
  await once(closed, 'close');
  const seen = await observe(expected(gone));
  assert.equal(seen['listener.reachable'], false);
  assert.deepEqual(seen['listener.tls'], { error: `no connection to 127.0.0.1:${gone}: ECONNREFUSED` });
  const all = Object.keys(FACTS).filter((id) => id.startsWith('listener.'));
  assert.deepEqual(Object.keys(seen).sort(), all.sort());
  assert.notEqual(port, gone);
});

/** An authority with these permitted subtrees, each `tag` and value; none for no constraints at all. */
async function authorityWith(
  subtrees: readonly (readonly [tag: number, value: readonly number[]])[],
): Promise<X509Certificate> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const element = (tag: number, value: readonly number[]): number[] => [tag, value.length, ...value];
  const permitted = subtrees.flatMap(([tag, value]) => element(0x30, element(tag, value)));
  const constraints = new Extension('2.5.29.30', true, Uint8Array.from(element(0x30, element(0xa0, permitted))));
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=authority',
    notBefore: new Date(NOW - 1000),
    notAfter: new Date(NOW + 86_400_000),
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new BasicConstraintsExtension(true, 0, true), ...(subtrees.length === 0 ? [] : [constraints])],
  });
  return new X509Certificate(made.toString('pem'));
}

test('takes an authority for constrained only where it may sign for private ranges and listed names alone', async () => {
  const dns = [0x82, [...Buffer.from('clinic')]] as const;
  const privateRange = [0x87, [10, 0, 0, 0, 255, 0, 0, 0]] as const;
  const constrained = async (...subtrees: (readonly [number, readonly number[]])[]) =>
    isConstrained(await authorityWith(subtrees));
  assert.equal(isConstrained(new X509Certificate(own.caCertificate)), true);
  assert.equal(await constrained(dns, privateRange), true);
  assert.equal(await constrained(dns, [0x87, [8, 8, 8, 8, 255, 255, 255, 255]]), true, 'one address');
  assert.equal(await constrained(), false, 'no constraints');
  assert.equal(await constrained(dns), false, 'any address');
  assert.equal(await constrained(privateRange), false, 'any name');
  assert.equal(await constrained([0x82, []], privateRange), false, 'every name');
  assert.equal(await constrained(dns, [0x87, [8, 0, 0, 0, 255, 0, 0, 0]]), false, 'a public range');
  assert.equal(await constrained(dns, [0x87, [10, 0, 0, 0, 254, 0, 0, 0]]), false, 'more than a private range');
});

test('does not take a configuration that says nothing of listeners for a node without', async () => {
  const collector = createListenersCollector(
    { listeners: [], authority: own.caCertificate, now: () => NOW },
    { findBindings: findOwnBindings, api: undefined },
  );
  await assert.rejects(collector.collect(new AbortController().signal), /does not tell where the node listens/);
});
