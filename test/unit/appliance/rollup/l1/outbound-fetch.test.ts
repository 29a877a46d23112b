import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, request, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { createCertificates } from '../../../../../appliance/gateway/index.ts';
import { createJsonRpc } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { createOutboundFetch } from '../../../../../appliance/rollup/l1/outbound-fetch.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-outbound-'));
const caFile = join(folder, 'ca.pem');
const { signal } = new AbortController();
/** What the proxies were asked to connect to. */
const asked: string[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();
let l1 = '';
let plainL1 = '';
let proxy = '';
let tlsProxy = '';

const answer = (_: IncomingMessage, response: { end(text: string): unknown }) =>
  response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' }));

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Names that are not this machine's, so that the rule about loopback does not hide the proxy; it resolves them to 127.0.0.1. */
function proxying(server: Server): Server {
  server.on('connect', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(incoming.url ?? '');
    const upstream = connect(Number((incoming.url ?? '').split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    sockets.add(upstream);
  });
  server.on('request', (incoming: IncomingMessage, response) => {
    const url = new URL(incoming.url ?? '');
    asked.push(url.host);
    const upstream = request({ host: '127.0.0.1', port: url.port, method: 'POST', path: '/' }, (got) =>
      got.pipe(response),
    );
    incoming.pipe(upstream);
  });
  return server;
}

before(async () => {
  const names = ['l1.example', 'proxy.example'];
  const made = await createCertificates({ nodeId: '00'.repeat(16), hostName: 'test', names, now: Date.now() });
  writeFileSync(caFile, made.caCertificate);
  const tls = { key: made.serverKey, cert: made.serverCertificate };
  l1 = `https://l1.example:${await listen(createHttpsServer(tls, answer))}`;
  plainL1 = `http://127.0.0.1:${await listen(createHttpServer(answer))}`;
  proxy = `http://127.0.0.1:${await listen(proxying(createHttpServer()))}`;
  tlsProxy = `https://127.0.0.1:${await listen(proxying(createHttpsServer(tls)))}`;
});
beforeEach(() => asked.splice(0));
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (url: string, options: Partial<Parameters<typeof createOutboundFetch>[0]>): Promise<unknown> =>
  createJsonRpc(
    { urls: [url], timeoutMs: 5_000, maxResponseBytes: 65_536 },
    { fetch: createOutboundFetch({ caFile: '', proxyUrl: '', env: {}, ...options }) },
  ).call('eth_chainId', [], signal);

const unreachable =
  (reason: string) =>
  (error: unknown): boolean =>
    isNectarError(error, 'ROLLUP_L1_UNREACHABLE') && error.data.reason === reason;

test('reaches L1 through HTTPS_PROXY, by an authority of the site', async () => {
  assert.equal(await ask(l1, { caFile, env: { HTTPS_PROXY: proxy } }), '0x1');
  assert.deepEqual(asked, [new URL(l1).host]);
});

test('reaches L1 through a proxy that itself speaks TLS with a certificate of the site', async () => {
  assert.equal(await ask(l1, { caFile, proxyUrl: tlsProxy }), '0x1');
  assert.deepEqual(asked, [new URL(l1).host]);
});

test('trusts nobody new without the authority', async () => {
  const untrusted = unreachable('its certificate is not signed by an authority that is trusted here');
  await assert.rejects(ask(l1, { env: { HTTPS_PROXY: proxy } }), untrusted);
  await assert.rejects(ask(l1, { proxyUrl: tlsProxy }), untrusted);
});

test('lets the configured proxy outweigh the environment, and NO_PROXY name exceptions', async () => {
  assert.equal(await ask(l1, { caFile, proxyUrl: proxy, env: { HTTPS_PROXY: 'http://127.0.0.1:9' } }), '0x1');
  assert.equal(asked.length, 1);
  await assert.rejects(
    ask(l1, { caFile, env: { HTTPS_PROXY: proxy, NO_PROXY: 'l1.example' } }),
    unreachable('its name is not known'),
  );
  assert.equal(asked.length, 1, 'went straight to a name that nobody resolves here');
});

test('says that it is the proxy which nobody answers for, or which refuses', async () => {
  await assert.rejects(ask(l1, { caFile, proxyUrl: 'http://127.0.0.1:9' }), unreachable('nothing listens there'));
  const refusing = createHttpServer().on('connect', (_, socket) => socket.end('HTTP/1.1 407 Not here\r\n\r\n'));
  const proxyUrl = `http://127.0.0.1:${await listen(refusing)}`;
  await assert.rejects(ask(l1, { caFile, proxyUrl }), unreachable('the proxy did not open the way'));
});

test('never sends to a proxy what is on this machine', async () => {
  assert.equal(await ask(plainL1, { proxyUrl: proxy, env: { HTTP_PROXY: proxy } }), '0x1');
  assert.deepEqual(asked, []);
});

test('reads the proxy for plain HTTP too', async () => {
  assert.equal(await ask(plainL1.replace('127.0.0.1', 'l1.example'), { env: { HTTP_PROXY: proxy } }), '0x1');
  assert.equal(asked.length, 1);
});

test('says what is wrong with the file of authorities', () => {
  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, 'no certificate');
  const open = (path: string) => () => createOutboundFetch({ caFile: path, proxyUrl: '', env: {} });
  assert.throws(open(broken), (error) => isNectarError(error, 'CONFIG_FILE_INVALID'));
  assert.throws(open(join(folder, 'none.pem')), (error) => isNectarError(error, 'CONFIG_FILE_MISSING'));
});
