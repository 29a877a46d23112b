import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { type Harness, startHarness } from './harness.ts';

const PAGE = 'https://app.example';
const CALL = { jsonrpc: '2.0', id: 1, method: 'eth_chainId' };
const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };

let h: Harness;
before(async () => {
  h = await startHarness({ corsOrigins: [PAGE], maxRpcSocketsPerToken: 3 });
});
after(() => h.stop());

async function pathToken(subject = 'wallet') {
  return h.tokens.issue({ subject, scope: ['rpc'], inPath: true, expiresInSeconds: 3600 });
}

describe('web pages', () => {
  it('of a listed origin may call and read answers and refusals', async () => {
    const token = await h.token('rpc');
    const asked = await h.call('OPTIONS', '/rpc', { headers: { origin: PAGE, ...PREFLIGHT } });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers['access-control-allow-origin'], PAGE);
    assert.equal(asked.headers['access-control-allow-methods'], 'POST');
    assert.match(String(asked.headers['access-control-allow-headers']), /authorization/);
    assert.equal(asked.headers['access-control-allow-private-network'], undefined);
    const local = { origin: PAGE, ...PREFLIGHT, 'access-control-request-private-network': 'true' };
    const privately = await h.call('OPTIONS', '/rpc/whatever', { headers: local });
    assert.equal(privately.headers['access-control-allow-private-network'], 'true');
    const called = await h.call('POST', '/rpc', { token, json: CALL, headers: { origin: PAGE } });
    assert.deepEqual([called.status, called.headers['access-control-allow-origin']], [200, PAGE]);
    const refused = await h.call('POST', '/rpc', { json: CALL, headers: { origin: PAGE } });
    assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, PAGE]);
  });

  it('of any other origin are refused, before and with a good token; extensions and programs are not', async () => {
    const token = await h.token('rpc');
    for (const origin of ['https://evil.example', 'null', `${PAGE}.evil.example`, 'http://app.example']) {
      const asked = await h.call('OPTIONS', '/rpc', { headers: { origin, ...PREFLIGHT } });
      assert.deepEqual([asked.status, asked.json().code], [403, 'GATEWAY_ORIGIN_REFUSED'], origin);
      const called = await h.call('POST', '/rpc', { token, json: CALL, headers: { origin } });
      assert.deepEqual([called.status, called.json().code], [403, 'GATEWAY_ORIGIN_REFUSED'], origin);
      assert.equal(called.headers['access-control-allow-origin'], undefined);
    }
    assert.equal((await h.call('OPTIONS', '/rpc')).status, 403);
    const wallet = await h.call('POST', '/rpc', { token, json: CALL, headers: { origin: 'chrome-extension://abc' } });
    assert.equal(wallet.status, 200);
    assert.equal((await h.call('POST', '/rpc', { token, json: CALL })).status, 200);
    assert.equal((await h.call('OPTIONS', '/v1/node', { headers: { origin: PAGE, ...PREFLIGHT } })).status, 405);
  });
});

describe('a token in the path', () => {
  it('opens rpc and nothing else, is kept as a hash, and ends at once when it is revoked', async () => {
    const { id, token, pathHash } = await pathToken();
    const path = `/rpc/${token}`;
    assert.equal((await h.call('POST', path, { json: CALL })).json().result, 'eth_chainId');
    assert.equal((await h.call('GET', '/v1/node', { token })).status, 401);
    assert.equal((await h.call('POST', '/rpc', { token, json: CALL })).status, 401);
    const list = await readFile(join(h.folder, 'tokens.json'), 'utf8');
    assert.ok(!list.includes(token) && list.includes(String(pathHash)));
    await h.tokens.revoke(id);
    const { status, bytes } = await h.call('POST', path, { json: CALL });
    assert.equal(status, 401);
    assert.ok(!bytes.toString().includes(token));
  });

  it('is of scope rpc alone, expires, and a bearer token is none', async () => {
    await assert.rejects(h.tokens.issue({ subject: 'a', scope: ['admin'], inPath: true, expiresInSeconds: 60 }), {
      code: 'GATEWAY_REQUEST_INVALID',
    });
    const { token } = await pathToken();
    const now = h.node.now;
    h.node.now += 3_600_000;
    assert.equal((await h.call('POST', `/rpc/${token}`, { json: CALL })).json().code, 'GATEWAY_TOKEN_EXPIRED');
    h.node.now = now;
    for (const other of ['x', await h.token('rpc'), `${token}x`, '%2e%2e'])
      assert.ok([400, 401].includes((await h.call('POST', `/rpc/${other}`, { json: CALL })).status), other);
  });

  it('is in no log: refusals name the pattern of the route', async () => {
    const { id, token } = await pathToken();
    await h.tokens.revoke(id);
    const seen = h.audit.events.length;
    await h.call('POST', `/rpc/${token}`, { json: CALL });
    const [event] = h.audit.events.slice(seen);
    assert.equal(event?.detail?.route, '/rpc/:token');
    assert.equal(event?.detail?.token, id);
    assert.ok(!JSON.stringify(h.audit.events).includes(token));
  });

  it('is made over the API, and given back from the log as it was', async () => {
    const admin = await h.token('admin');
    const json = { subject: 'metamask', scope: ['rpc'], inPath: true };
    const made = (await h.call('POST', '/v1/tokens', { token: admin, json })).json();
    assert.match(String(made.token), /^[A-Za-z0-9_-]{43}$/);
    const logged = h.audit.events.findLast(({ type }) => type === 'token.create');
    assert.equal(logged?.detail?.pathHash, made.pathHash);
    assert.equal((await h.call('POST', `/rpc/${made.token}`, { json: CALL })).status, 200);
  });
});

interface Client {
  readonly socket: WebSocket;
  next(): Promise<Record<string, unknown> & { params?: { subscription: string; result: unknown } }>;
  ask(method: string, ...params: unknown[]): Promise<Record<string, unknown>>;
  closed(): Promise<{ code: number; reason: string }>;
}

/** Resolves when it is open; rejects with the HTTP status otherwise. */
async function connect(path: string, headers: Record<string, string> = {}): Promise<Client> {
  const ca = h.certificates.caCertificate;
  const socket = new WebSocket(`wss://localhost:${h.port}${path}`, { ca, headers });
  const messages: string[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data) => {
    messages.push(String(data));
    wake();
  });
  const closing = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('unexpected-response', (_, { statusCode }) => reject(new Error(String(statusCode))));
    socket.once('error', reject);
  });
  const next = async () => {
    while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return JSON.parse(messages.shift() ?? '');
  };
  return {
    socket,
    next,
    closed: () => closing,
    ask(method, ...params) {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }));
      return next();
    },
  };
}

const refused = (path: string, headers: Record<string, string>, status: number) =>
  assert.rejects(connect(path, headers), { message: String(status) });

describe('WebSocket', () => {
  it('answers calls, batches and what is not JSON, by header and by path', async () => {
    for (const client of [
      await connect('/rpc', { authorization: `Bearer ${await h.token('rpc')}` }),
      await connect(`/rpc/${(await pathToken()).token}`),
    ]) {
      assert.deepEqual(await client.ask('eth_chainId'), { jsonrpc: '2.0', id: 7, result: 'eth_chainId' });
      client.socket.send('[{"id":1},{"id":2}]');
      assert.equal(((await client.next()) as unknown as unknown[]).length, 2);
      client.socket.send('{');
      assert.deepEqual((await client.next()).error, { code: -32700, message: 'parse error' });
      client.socket.close();
      await client.closed();
    }
  });

  it('is refused without a token, to other origins, for other paths, and while the node is locked', async () => {
    const authorization = `Bearer ${await h.token('rpc')}`;
    await refused('/rpc', {}, 401);
    await refused('/rpc/none', {}, 401);
    await refused('/rpc', { authorization: `Bearer ${await h.token('node:read')}` }, 403);
    await refused('/rpc', { authorization, origin: 'https://evil.example' }, 403);
    await refused('/v1/node', { authorization }, 403);
    await refused('/rpc', { authorization, host: 'evil.example' }, 421);
    h.node.state = 'locked';
    await refused('/rpc', { authorization }, 503);
    h.node.state = 'unlocked';
    const page = await connect('/rpc', { authorization, origin: PAGE });
    page.socket.close();
    await page.closed();
  });

  it('carries subscriptions until they are ended', async () => {
    // Opened once, it lets one head through, however early it is opened.
    let [opened, wake] = [0, (): void => undefined];
    const release = (): void => {
      opened += 1;
      wake();
    };
    h.node.headGate = async () => {
      while (opened === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      opened -= 1;
    };
    const client = await connect(`/rpc/${(await pathToken()).token}`);
    const { result: id } = await client.ask('eth_subscribe', 'newHeads');
    assert.match(String(id), /^0x[1-9a-f][0-9a-f]*$/);
    const first = await client.next();
    assert.deepEqual(first, {
      jsonrpc: '2.0',
      method: 'eth_subscription',
      params: { subscription: id, result: { number: 1 } },
    });
    release();
    assert.deepEqual((await client.next()).params?.result, { number: 2 });
    assert.equal((await client.ask('eth_unsubscribe', id)).result, true);
    release();
    assert.deepEqual((await client.ask('eth_unsubscribe', id)).error, {
      code: -32000,
      message: 'subscription not found',
    });
    assert.deepEqual((await client.ask('eth_subscribe', 'none')).error, {
      code: -32602,
      message: 'no such subscription',
    });
    client.socket.close();
    await client.closed();
  });

  it('has room for a bounded number of connections of a token, and ends them at once when it is revoked', async () => {
    const { id, token } = await pathToken();
    const clients = [await connect(`/rpc/${token}`), await connect(`/rpc/${token}`), await connect(`/rpc/${token}`)];
    await refused(`/rpc/${token}`, {}, 429);
    await h.tokens.revoke(id);
    for (const client of clients)
      assert.deepEqual(await client.closed(), { code: 1008, reason: 'the token is revoked' });
    await refused(`/rpc/${token}`, {}, 401);
  });

  it('ends with the token, and with what is too long or binary', async () => {
    const now = h.node.now;
    const expiring = await connect(`/rpc/${(await pathToken()).token}`);
    h.node.now += 3_600_000;
    expiring.socket.send(JSON.stringify(CALL));
    assert.equal((await expiring.closed()).code, 1008);
    h.node.now = now;
    const long = await connect(`/rpc/${(await pathToken()).token}`);
    long.socket.send('x'.repeat(1024 * 1024 + 1));
    assert.equal((await long.closed()).code, 1009);
    const binary = await connect(`/rpc/${(await pathToken()).token}`);
    binary.socket.send(Buffer.from('{}'));
    assert.deepEqual(await binary.closed(), { code: 1008, reason: 'JSON-RPC is text' });
  });

  it('drops a client that asks for more than it waits for, and says so', async () => {
    const client = await connect(`/rpc/${(await pathToken()).token}`);
    for (let sent = 0; sent < 2_000; sent++) client.socket.send(JSON.stringify({ ...CALL, id: sent }));
    assert.deepEqual(await client.closed(), { code: 1008, reason: 'more than 128 calls wait for an answer' });
  });
});

describe('a node that stops', () => {
  it('says so to its WebSocket clients', async () => {
    const client = await connect(`/rpc/${(await pathToken()).token}`);
    await h.stop();
    assert.deepEqual(await client.closed(), { code: 1001, reason: 'the node stops' });
    h = await startHarness();
  });
});
