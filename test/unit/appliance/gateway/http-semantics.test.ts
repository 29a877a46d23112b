import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assertProblem, eventually, type Harness, received, startHarness } from './harness.ts';

const TEXT = 'the quick brown fox jumps over the lazy dog';
const digest = (name: 'sha256' | 'sha512', text: string) => `:${createHash(name).update(text).digest('base64')}:`;

describe('HTTP as RFC 9110 has it', () => {
  let h: Harness;
  let token: string;
  let id: string;
  let path: string;
  let etag: string;
  before(async () => {
    h = await startHarness({ hostNames: ['node.clinic.example'] });
    token = await h.token('admin');
    id = await stored(TEXT);
    path = `/v1/records/${id}`;
    etag = String((await get()).headers.etag);
  });
  after(() => h.stop());

  const stored = async (body: string, headers: Record<string, string> = {}) => {
    const answer = await h.call('POST', '/v1/records', { token, body, headers });
    assert.equal(answer.status, 201);
    return String(answer.json().recordId);
  };
  const get = (headers: Record<string, string> = {}, at = path) => h.call('GET', at, { token, headers });

  describe('the host', () => {
    const raw = async (head: string) => {
      const socket = await h.dial();
      socket.write(`GET /healthz HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
      return (await received(socket)).slice(9, 12);
    };

    it('is one of the certificate, of the configuration, localhost or an address', async () => {
      for (const host of [
        'localhost',
        'LOCALHOST:8443',
        'localhost.',
        'node',
        '127.0.0.1:1',
        '[::1]',
        '[::1]:8443',
        '192.0.2.9',
        'node.clinic.example',
      ])
        assert.equal(await raw(`Host: ${host}\r\n`), '200', host);
    });

    it('is refused when it is another name, whatever is asked for', async () => {
      for (const host of ['evil.example', 'node.clinic.example.evil.example', 'localhost.evil.example'])
        assert.equal(await raw(`Host: ${host}\r\n`), '421', host);
      const answer = await get({ host: 'rebound.example' });
      assertProblem(answer, 421, 'GATEWAY_HOST_UNKNOWN');
    });

    it('is a bad request when there are two, none, or no host in it', async () => {
      for (const head of [
        'Host: localhost\r\nHost: localhost\r\n',
        'Host: localhost\r\nHost: evil.example\r\n',
        'host: evil.example\r\nHOST: localhost\r\n',
        '',
        'Host: \r\n',
        'Host: local host\r\n',
        'Host: a/b\r\n',
        'Host: [1.2.3.4]\r\n',
      ])
        assert.equal(await raw(head), '400', JSON.stringify(head));
    });
  });

  describe('a range', () => {
    it('beyond the end is cut, however long its number is', async () => {
      const answer = await get({ range: `bytes=40-${'9'.repeat(30)}` });
      assert.deepEqual([answer.status, answer.headers['content-range']], [206, `bytes 40-42/${TEXT.length}`]);
      assert.equal(answer.bytes.toString(), TEXT.slice(40));
    });

    it('that begins beyond the end is unsatisfiable, and says the length', async () => {
      const answer = await get({ range: 'bytes=43-' });
      assertProblem(answer, 416, 'GATEWAY_RANGE_INVALID');
      assert.equal(answer.headers['content-range'], `bytes */${TEXT.length}`);
    });

    it('that is no range is ignored', async () => {
      for (const range of ['bytes=5-4', 'bytes=x', 'lines=1-2']) {
        const answer = await get({ range });
        assert.deepEqual([answer.status, answer.bytes.toString()], [200, TEXT], range);
      }
    });

    it('among several is a part of its own', async () => {
      const answer = await get({ range: 'bytes=0-2,40-99,90-' });
      assert.equal(answer.status, 206);
      const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(String(answer.headers['content-type']))?.[1];
      assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
      const part = (range: string, body: string) =>
        `\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range}/43\r\n\r\n${body}`;
      assert.equal(answer.bytes.toString(), `${part('0-2', 'the')}${part('40-42', 'dog')}\r\n--${boundary}--\r\n`);
    });

    it('is given only of the version that If-Range names', async () => {
      for (const [ifRange, status] of [
        [etag, 206],
        [`W/${etag}`, 200],
        ['"another"', 200],
        ['Mon, 23 Nov 2026 06:00:00 GMT', 200],
      ] as const)
        assert.equal((await get({ range: 'bytes=0-2', 'if-range': ifRange })).status, status, ifRange);
    });
  });

  describe('conditions', () => {
    it('of a read are If-Match first, then If-None-Match', async () => {
      for (const [headers, status] of [
        [{ 'if-none-match': etag }, 304],
        [{ 'if-none-match': `"x", W/${etag}` }, 304],
        [{ 'if-none-match': '*' }, 304],
        [{ 'if-none-match': '"x"' }, 200],
        [{ 'if-match': etag }, 200],
        [{ 'if-match': '*' }, 200],
        [{ 'if-match': `W/${etag}` }, 412],
        [{ 'if-match': '"x"', 'if-none-match': etag }, 412],
        [{ 'if-match': 'no tag' }, 400],
        [{ 'if-none-match': '"x" "y"' }, 400],
        [{ 'if-none-match': etag, range: 'bytes=0-1' }, 304],
      ] as const) {
        assert.equal((await get(headers)).status, status, JSON.stringify(headers));
        if (!('range' in headers))
          assert.equal((await h.call('HEAD', path, { token, headers })).status, status, JSON.stringify(headers));
      }
    });

    it('of a change go to the store, which compares and changes in one step', async () => {
      const own = await stored('one');
      const tag = String((await get({}, `/v1/records/${own}`)).headers.etag);
      const put = (headers: Record<string, string>) =>
        h.call('PUT', `/v1/records/${own}`, { token, body: 'two', headers });
      assertProblem(await put({ 'if-match': '"x"' }), 412, 'STORE_PRECONDITION_FAILED');
      assertProblem(await put({ 'if-match': `W/${tag}` }), 412, 'STORE_PRECONDITION_FAILED');
      assertProblem(await put({ 'if-none-match': '*' }), 412, 'STORE_PRECONDITION_FAILED');
      assert.equal((await put({ 'if-match': `"x", ${tag}` })).status, 200);
      assertProblem(await put({ 'if-match': tag }), 412, 'STORE_PRECONDITION_FAILED');
      const remove = (headers: Record<string, string>) => h.call('DELETE', `/v1/records/${own}`, { token, headers });
      assertProblem(await remove({ 'if-match': tag }), 412, 'STORE_PRECONDITION_FAILED');
      assert.equal((await remove({ 'if-match': '*' })).status, 200);
    });
  });

  describe('a digest', () => {
    it('that is true is kept, and told with the content', async () => {
      const both = `sha-256=${digest('sha256', TEXT)}, sha-512=${digest('sha512', TEXT)}, md5=:AAAA:`;
      const at = `/v1/records/${await stored(TEXT, { 'content-digest': both })}`;
      assert.equal(
        (await get({}, at)).headers['repr-digest'],
        `sha-256=${digest('sha256', TEXT)}, sha-512=${digest('sha512', TEXT)}`,
      );
      const wanted = async (want: string) => (await get({ 'want-repr-digest': want }, at)).headers['repr-digest'];
      assert.equal(await wanted('sha-512=3, sha-256=0'), `sha-512=${digest('sha512', TEXT)}`);
      assert.equal(await wanted('md5=10'), undefined);
      assert.equal((await get({})).headers['repr-digest'], undefined, 'nothing is told of what came without');
    });

    it('that is false refuses the body, and nothing is stored', async () => {
      const count = h.store.records.size;
      for (const header of ['content-digest', 'repr-digest']) {
        const headers = { [header]: `sha-256=${digest('sha256', 'another')}` };
        const answer = await h.call('POST', '/v1/records', { token, body: TEXT, headers });
        assertProblem(answer, 400, 'GATEWAY_DIGEST_MISMATCH');
      }
      assert.equal(h.store.records.size, count);
    });

    it('that is none is told apart from one that is false', async () => {
      for (const value of ['sha-256', 'sha-256=abc', 'sha-256=:AAAA:', `sha-256=${digest('sha512', TEXT)}`, '=::']) {
        const answer = await h.call('POST', '/v1/records', { token, body: TEXT, headers: { 'content-digest': value } });
        assertProblem(answer, 400, 'GATEWAY_DIGEST_INVALID');
      }
    });
  });

  it('refuses an encoded body and a part of one, rather than store it as what it is not', async () => {
    const body = gzipSync('{"resourceType":"Patient"}');
    for (const encoding of ['gzip', 'br, gzip', 'Deflate']) {
      const headers = { 'content-type': 'application/fhir+json', 'content-encoding': encoding };
      const answer = await h.call('POST', '/v1/records', { token, body, headers });
      assertProblem(answer, 415, 'GATEWAY_CONTENT_ENCODING_UNSUPPORTED');
      assert.equal(answer.headers['accept-encoding'], 'identity');
    }
    const plain = { 'content-encoding': 'identity' };
    assert.equal((await h.call('POST', '/v1/records', { token, body, headers: plain })).status, 201);
    const part = { 'content-range': 'bytes 0-1/5' };
    assertProblem(await h.call('PUT', path, { token, body, headers: part }), 400, 'GATEWAY_REQUEST_INVALID');
  });

  it('puts on record who asked for a record that is not there, each time', async () => {
    const absent = `/v1/records/${'0'.repeat(32)}`;
    const from = h.audit.events.length;
    assert.equal((await get({}, absent)).status, 404);
    assert.equal((await h.call('HEAD', absent, { token })).status, 404);
    assert.equal((await h.call('PUT', absent, { token, body: 'x' })).status, 404);
    assert.equal((await h.call('DELETE', absent, { token })).status, 404);
    assert.equal((await get({}, `${absent}/car`)).status, 404);
    await eventually(() => h.audit.events.length === from + 5, 'five failures on record');
    assert.deepEqual(
      h.audit.events
        .slice(from)
        .map(({ type, outcome, recordId, context }) => [type, outcome, recordId, context.actor.subject]),
      ['record.read', 'record.read', 'record.update', 'record.delete', 'record.export'].map((type) => [
        type,
        'failure',
        '0'.repeat(32),
        'tester',
      ]),
    );
  });
});

describe('a revoked token', () => {
  it('ends what it has begun, a download, an upload and a place in the queue, on connections that are open', async () => {
    const h = await startHarness({ lingerMs: 50, maxUploads: 1 });
    try {
      const admin = await h.token('admin');
      const issue = () => h.tokens.issue({ subject: 'pacs', scope: ['admin'], expiresInSeconds: 60 });
      const [pacs, other] = [await issue(), await issue()];
      const body = new Uint8Array(16 * 1024 * 1024);
      const record = String((await h.call('POST', '/v1/records', { token: admin, body })).json().recordId);
      const dial = async (request: string) => {
        const socket = await h.dial();
        socket.on('error', () => undefined);
        socket.write(request);
        return socket;
      };
      const head = `Host: localhost\r\nAuthorization: Bearer ${pacs.token}\r\n`;
      const download = await dial(`GET /v1/records/${record} HTTP/1.1\r\n${head}\r\n`);
      download.pause();
      const puts = h.store.puts;
      const upload = await dial(`POST /v1/records HTTP/1.1\r\n${head}Content-Length: 1000000\r\n\r\nhalf`);
      const queued = await dial(`POST /v1/records HTTP/1.1\r\n${head}Content-Length: 1000000\r\n\r\nhalf`);
      await eventually(() => h.store.puts === puts + 1, 'the upload runs');
      const stored = h.store.records.size;
      await h.call('DELETE', `/v1/tokens/${pacs.id}`, { token: admin });
      // Read only now: a client that keeps up could have all of it before the token is revoked.
      await Promise.all(
        [download, upload, queued].map((socket) => {
          const closed = new Promise((resolve) => socket.once('close', resolve));
          socket.resume();
          return socket.closed ? undefined : closed;
        }),
      );
      assert.equal(h.store.records.size, stored);
      await eventually(() => h.store.aborts.length > 0, 'the store was told');
      assertProblem(await h.call('GET', '/v1/node', { token: pacs.token }), 401, 'GATEWAY_TOKEN_REVOKED');
      assert.equal((await h.call('GET', '/v1/node', { token: other.token })).status, 200);
    } finally {
      await h.stop();
    }
  });
});
