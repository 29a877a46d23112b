import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { NectarError } from '../../../../protocol/errors.ts';
import { assertProblem, eventually, type Harness, openBody, received, startHarness } from './harness.ts';

const KIB = 1024;

describe('record streams', () => {
  let h: Harness;
  let token: string;
  before(async () => {
    h = await startHarness({
      maxRecordBytes: 4 * KIB * KIB,
      bodyIdleTimeoutMs: 300,
      maxUploads: 2,
      responseStallTimeoutMs: 300,
    });
    token = await h.token('records:read', 'records:write', 'records:delete');
  });
  after(() => h.stop());
  afterEach(() => {
    Object.assign(h.store, { failPut: undefined, failAfterBytes: undefined, putGate: undefined, lieBytes: 0 });
  });

  const put = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    h.call('POST', '/v1/records', { token, body, headers });
  const stored = async (body: string | Uint8Array): Promise<string> => String((await put(body)).json().recordId);
  it('refuses a body over the limit by its announced size, and in mid-stream without one', async () => {
    const before = h.store.puts;
    assertProblem(await put(new Uint8Array(4 * KIB * KIB + 1)), 413, 'GATEWAY_BODY_TOO_LARGE');
    assert.equal(h.store.puts, before);
    const body = openBody();
    const answer = h.call('POST', '/v1/records', { token, body });
    body.write(new Uint8Array(4 * KIB * KIB));
    body.write(new Uint8Array(1));
    assertProblem(await answer, 413, 'GATEWAY_BODY_TOO_LARGE');
  });

  it('tells of a failed store while the upload still runs', async () => {
    h.store.failPut = new NectarError('NODE_DISK_FULL', { path: 'store' });
    const body = openBody();
    const answer = h.call('POST', '/v1/records', { token, body });
    body.write(new Uint8Array(64 * KIB));
    assertProblem(await answer, 507, 'NODE_DISK_FULL');
    body.destroy();
  });

  it('gives up on an upload that stalls', async () => {
    const body = openBody();
    const answer = h.call('POST', '/v1/records', { token, body });
    body.write('a few bytes');
    assertProblem(await answer, 408, 'GATEWAY_UPLOAD_STALLED');
    body.destroy();
  });

  it('aborts the store when the client leaves in mid-upload', async () => {
    const [aborts, count] = [h.store.aborts.length, h.store.records.size];
    const socket = await h.dial();
    socket.write(
      `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100000\r\n\r\nhalf`,
    );
    await eventually(() => socket.bytesWritten > 0 && h.store.puts > 0, 'upload begins');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await eventually(() => h.store.aborts.length === aborts + 1, 'store aborted');
    assert.equal(h.store.records.size, count);
  });

  it('keeps a small body from the store until all of it is here', async () => {
    const { puts } = h.store;
    const socket = await h.dial();
    socket.write(
      `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 8\r\n\r\nhalf`,
    );
    await eventually(() => socket.bytesWritten > 0, 'half of it is on its way');
    assert.equal((await h.call('GET', '/healthz')).status, 200);
    assert.equal(h.store.puts, puts);
    socket.write('more');
    await eventually(() => h.store.puts === puts + 1, 'the upload reaches the store');
    socket.destroy();
  });

  it('outlives a client that leaves while the store is busy', async () => {
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const [puts, aborts] = [h.store.puts, h.store.aborts.length];
    const socket = await h.dial();
    socket.write(
      `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1\r\n\r\nx`,
    );
    await eventually(() => h.store.puts === puts + 1, 'upload begins');
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    open();
    await eventually(() => h.store.aborts.length === aborts + 1, 'store sees the signal');
    assert.equal((await h.call('GET', '/healthz')).status, 200);
  });

  it('lets large uploads take turns, refuses none, and lets small ones pass', async () => {
    let open: () => void = () => undefined;
    h.store.putGate = new Promise((resolve) => {
      open = resolve;
    });
    const begun = h.store.puts;
    const large = new Uint8Array(65 * KIB);
    const running = Array.from({ length: 8 }, () => put(large));
    await eventually(() => h.store.puts === begun + 2, 'two uploads run');
    const small = [put('a'), put('b'), put('c')];
    await eventually(() => h.store.puts === begun + 5, 'small ones run beside them');
    open();
    for (const { status } of await Promise.all([...running, ...small])) assert.equal(status, 201);
    assert.equal(h.store.puts, begun + 11);
  });

  it('invites a body that the client holds back, but only after the token', async () => {
    const head = (auth: string) =>
      `POST /v1/records HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    const refused = await h.dial();
    refused.write(head(''));
    assert.match(await received(refused), /^HTTP\/1.1 401 /);
    const invited = await h.dial();
    const text = received(invited);
    invited.once('data', () => invited.write('abc'));
    invited.write(head(`Authorization: Bearer ${token}\r\n`));
    assert.match(await text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 /);
  });

  describe('answers that break', () => {
    const big = randomBytes(1024 * KIB);
    let id: string;
    beforeEach(async () => {
      id = await stored(big);
    });

    it('become a problem when nothing was sent yet', async () => {
      h.store.failAfterBytes = 0;
      const answer = await h.call('GET', `/v1/records/${id}`, { token });
      assertProblem(answer, 500, 'NODE_INTERNAL');
      assert.ok(!answer.bytes.toString().includes('segment'));
    });

    it('are cut off, never ended, after the headers', async () => {
      h.store.failAfterBytes = 512 * KIB;
      for (const path of [`/v1/records/${id}`, `/v1/records/${id}/car`]) {
        const answer = await h.call('GET', path, { token });
        assert.equal(answer.aborted, true, path);
        assert.ok(answer.bytes.length < big.length);
      }
    });

    it('are cut off when the store gives more or less than it said', async () => {
      h.store.lieBytes = 10;
      assert.equal((await h.call('GET', `/v1/records/${id}`, { token })).aborted, true);
      h.store.lieBytes = 0;
      const found = h.store.find(id);
      h.store.records.set(id, [{ ...found, meta: { ...found.meta, bytes: found.meta.bytes + 1 } }]);
      assert.equal((await h.call('GET', `/v1/records/${id}`, { token })).aborted, true);
    });

    it('let go of the record when the client leaves or takes nothing', async () => {
      const large = randomBytes(4 * KIB * KIB);
      const slow = await stored(large);
      for (const leave of [true, false]) {
        const returned = h.store.returned;
        const socket = await h.dial();
        socket.write(`GET /v1/records/${slow} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
        if (leave) socket.once('data', () => socket.destroy());
        else socket.pause();
        socket.on('error', () => undefined);
        await eventually(() => h.store.returned === returned + 1, leave ? 'client left' : 'client stalled');
        socket.destroy();
      }
    });
  });

  describe('idempotency keys', () => {
    const keyed = (key: string, body: string | Uint8Array, headers = {}) =>
      put(body, { 'idempotency-key': key, ...headers });

    it('give the first receipt again for the same request', async () => {
      const body = randomBytes(200 * KIB);
      const first = await keyed('k1', body);
      const second = await keyed('k1', body);
      assert.deepEqual([second.status, second.json()], [201, first.json()]);
      assert.equal(second.headers['idempotency-replayed'], 'true');
    });

    it('tell the store whose they are, and everything that makes the request what it is', async () => {
      await keyed('k2', 'same', { 'x-nectar-labels': 'a,b', 'x-nectar-name': 'n', 'content-type': 'text/plain' });
      const { key, facts, ttlMs, maxKeys } = h.store.inputs.at(-1)?.idempotency ?? {};
      assert.match(String(key), /^[0-9a-f]{32} k2$/);
      assert.deepEqual(facts, ['text/plain', 'n', 'a', 'b']);
      assert.deepEqual([ttlMs, maxKeys], [86_400_000, 100_000]);
    });

    it('answer a running and another request as problems', async () => {
      h.store.failPut = new NectarError('GATEWAY_IDEMPOTENCY_RUNNING', {});
      assertProblem(await keyed('k4', 'x'), 409, 'GATEWAY_IDEMPOTENCY_RUNNING');
      h.store.failPut = new NectarError('GATEWAY_IDEMPOTENCY_MISMATCH', {});
      assertProblem(await keyed('k4', 'x'), 422, 'GATEWAY_IDEMPOTENCY_MISMATCH');
      h.store.failPut = undefined;
    });

    it('are free again after a failure, and belong to their token', async () => {
      h.store.failPut = new NectarError('NODE_DISK_FULL', { path: 'store' });
      assertProblem(await keyed('k3', 'x'), 507, 'NODE_DISK_FULL');
      h.store.failPut = undefined;
      const mine = await keyed('k3', 'x');
      assert.equal(mine.status, 201);
      const theirs = await h.call('POST', '/v1/records', {
        token: await h.token('admin'),
        body: 'y',
        headers: { 'idempotency-key': 'k3' },
      });
      assert.equal(theirs.status, 201);
      assert.notEqual(theirs.json().recordId, mine.json().recordId);
    });
  });

  it('keeps every byte of a body that arrives in single bytes', async () => {
    const text = randomBytes(300).toString('hex');
    const body = openBody();
    const answer = h.call('POST', '/v1/records', { token, body });
    for (const char of text) body.write(char);
    body.end();
    const { bytes } = h.store.find(String((await answer).json().recordId));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), createHash('sha256').update(text).digest('hex'));
  });
});
