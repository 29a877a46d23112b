import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Answer, assertProblem, type Harness, received, startHarness } from './harness.ts';

const KIB = 1024;

describe('record routes', () => {
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

  it('stores a streamed body and answers with a receipt', async () => {
    const answer = await put('{"a":1}', {
      'content-type': 'application/fhir+json',
      'x-nectar-labels': 'imaging, ward%2C3',
      'x-nectar-name': 'r%C3%B6ntgen%20%22x%22.dcm',
    });
    assert.equal(answer.status, 201);
    const receipt = answer.json();
    assert.deepEqual(Object.keys(receipt).sort(), ['auditLeaf', 'bytes', 'cid', 'recordId', 'version']);
    assert.equal(answer.headers.location, `/v1/records/${receipt.recordId}`);
    const { meta } = h.store.find(String(receipt.recordId));
    assert.deepEqual(
      [meta.contentType, meta.labels, meta.name],
      ['application/fhir+json', ['imaging', 'ward,3'], 'röntgen "x".dcm'],
    );
  });

  it('returns the same bytes, with the headers of a private download', async () => {
    const bytes = randomBytes(300 * KIB);
    const id = await stored(bytes);
    const answer = await h.call('GET', `/v1/records/${id}`, { token });
    assert.equal(answer.status, 200);
    assert.ok(answer.bytes.equals(bytes));
    const { headers } = answer;
    assert.equal(headers['content-length'], String(bytes.length));
    assert.equal(headers.etag, `"${h.store.find(id).meta.cid}"`);
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['content-disposition'], 'attachment');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-nectar-audit-leaf'], '8');
    for (const banner of ['server', 'x-powered-by', 'access-control-allow-origin'])
      assert.equal(headers[banner], undefined);
  });

  it('takes an empty body, none at all, and a type that it never heard of', async () => {
    for (const options of [
      { body: '' },
      {},
      { body: 'x', headers: { 'content-type': 'Application/X-Odd; charset="a b"' } },
    ]) {
      assert.equal((await h.call('POST', '/v1/records', { token, ...options })).status, 201);
    }
    const id = await stored('');
    const answer = await h.call('GET', `/v1/records/${id}`, { token });
    assert.deepEqual([answer.status, answer.bytes.length, answer.headers['content-length']], [200, 0, '0']);
  });

  it('does not parse JSON on its way in', async () => {
    const id = await stored('{"broken":');
    assert.equal((await h.call('GET', `/v1/records/${id}`, { token })).bytes.toString(), '{"broken":');
  });

  it('describes a record to HEAD without a body', async () => {
    const id = await stored('hello');
    const answer = await h.call('HEAD', `/v1/records/${id}`, { token });
    assert.deepEqual([answer.status, answer.headers['content-length'], answer.bytes.length], [200, '5', 0]);
  });

  it('stores and reads versions', async () => {
    const id = await stored('one');
    const second = await h.call('PUT', `/v1/records/${id}`, { token, body: 'two' });
    assert.deepEqual([second.status, second.json().version], [200, 2]);
    const read = async (query: string) =>
      (await h.call('GET', `/v1/records/${id}${query}`, { token })).bytes.toString();
    assert.deepEqual([await read(''), await read('?version=1'), await read('?version=2')], ['two', 'one', 'two']);
    assertProblem(
      await h.call('PUT', `/v1/records/${'0'.repeat(32)}`, { token, body: 'x' }),
      404,
      'STORE_RECORD_NOT_FOUND',
    );
  });

  it('lists by label in pages, shreds, and exports ciphertext', async () => {
    const answer = await put('x', { 'x-nectar-labels': 'only-here' });
    const id = String(answer.json().recordId);
    const page = (await h.call('GET', '/v1/records?label=only-here&limit=5', { token })).json();
    assert.deepEqual(
      (page.records as { recordId: string }[]).map((record) => record.recordId),
      [id],
    );
    const car = await h.call('GET', `/v1/records/${id}/car`, { token });
    assert.deepEqual([car.status, car.headers['content-type']], [200, 'application/vnd.ipld.car; version=1']);
    assert.equal((await h.call('DELETE', `/v1/records/${id}`, { token })).status, 200);
    assertProblem(await h.call('GET', `/v1/records/${id}`, { token }), 404, 'STORE_RECORD_NOT_FOUND');
    assertProblem(await h.call('GET', `/v1/records/${id}/car`, { token }), 404, 'STORE_RECORD_NOT_FOUND');
  });

  it('exports the blob, and to an admin alone the keyset, which is wiped when it has left', async () => {
    const id = String((await put('sealed bytes')).json().recordId);
    const blob = await h.call('GET', `/v1/records/${id}/blob`, { token });
    assert.deepEqual([blob.status, blob.headers['content-length'], blob.bytes.toString()], [200, '12', 'sealed bytes']);
    assert.deepEqual(
      [blob.headers['x-nectar-record-version'], blob.headers['x-nectar-associated-data']],
      ['1', '01ff'],
    );
    assertProblem(await h.call('GET', `/v1/records/${id}/keyset`, { token }), 403, 'GATEWAY_SCOPE_MISSING');
    const keyset = await h.call('GET', `/v1/records/${id}/keyset?version=1`, { token: await h.token('admin') });
    assert.deepEqual([keyset.status, keyset.json()], [200, { primaryKeyId: 1 }]);
    assert.equal(keyset.headers['cache-control'], 'no-store');
    assert.ok(h.store.keyset.length > 0 && h.store.keyset.every((byte) => byte === 0));
    const absent = await h.call('GET', `/v1/records/${'0'.repeat(32)}/blob`, { token });
    assertProblem(absent, 404, 'STORE_RECORD_NOT_FOUND');
  });

  describe('ranges', () => {
    let id: string;
    before(async () => {
      id = await stored('0123456789');
    });
    const range = (value: string | string[], more: Record<string, string> = {}): Promise<Answer> =>
      h.call('GET', `/v1/records/${id}`, { token, headers: { range: value, ...more } });

    it('serves one range in each of its forms', async () => {
      for (const [header, text, where] of [
        ['bytes=0-0', '0', '0-0'],
        ['bytes=2-5', '2345', '2-5'],
        ['bytes=7-', '789', '7-9'],
        ['bytes=-3', '789', '7-9'],
        ['bytes=-99', '0123456789', '0-9'],
        ['bytes=8-99', '89', '8-9'],
      ] as const) {
        const answer = await range(header);
        assert.deepEqual([answer.status, answer.bytes.toString()], [206, text], header);
        assert.equal(answer.headers['content-range'], `bytes ${where}/10`);
        assert.equal(answer.headers['content-length'], String(text.length));
      }
    });

    it('refuses a range outside, and ignores a broken one, too many, and a doubled header', async () => {
      for (const header of ['bytes=10-', 'bytes=-0', 'bytes=99999999999999999-']) {
        const answer = await range(header);
        assertProblem(answer, 416, 'GATEWAY_RANGE_INVALID');
        assert.equal(answer.headers['content-range'], 'bytes */10');
      }
      const many = `bytes=${Array.from({ length: 500 }, (_, i) => `${i}-${i}`).join(',')}`;
      for (const header of ['bytes=5-2', 'bytes=', 'bytes=a-b', many]) assert.equal((await range(header)).status, 200);
      const socket = await h.dial();
      socket.write(
        `GET /v1/records/${id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\nConnection: close\r\n\r\n`,
      );
      assert.match(await received(socket), /^HTTP\/1.1 200 /);
    });

    it('ignores a unit that it does not know', async () => {
      assert.deepEqual([(await range('lines=1-2')).status, (await range('lines=1-2')).bytes.length], [200, 10]);
    });

    it('obeys If-Range and If-None-Match', async () => {
      const tag = `"${h.store.find(id).meta.cid}"`;
      assert.equal((await range('bytes=0-1', { 'if-range': tag })).status, 206);
      const changed = await range('bytes=0-1', { 'if-range': '"other"' });
      assert.deepEqual([changed.status, changed.bytes.length], [200, 10]);
      const same = await h.call('GET', `/v1/records/${id}`, { token, headers: { 'if-none-match': `"x", W/${tag}` } });
      assert.deepEqual([same.status, same.bytes.length, same.headers.etag], [304, 0, tag]);
    });
  });

  it('refuses ids, versions, pages and headers out of shape', async () => {
    for (const path of [
      '/v1/records/..%2f..%2fetc%2fpasswd',
      '/v1/records/ABCDEF',
      `/v1/records/${'0'.repeat(33)}`,
      `/v1/records/${'0'.repeat(32)}?version=0`,
      `/v1/records/${'0'.repeat(32)}?version=1&version=2`,
      `/v1/records/${'0'.repeat(32)}?other=1`,
      '/v1/records?limit=0',
      '/v1/records?limit=1001',
      '/v1/records?label=',
      `/v1/records?cursor=${'x'.repeat(513)}`,
    ]) {
      assertProblem(await h.call('GET', path, { token }), 400, 'GATEWAY_REQUEST_INVALID');
    }
    for (const headers of [
      { 'x-nectar-name': '%zz' },
      { 'x-nectar-name': 'a%00b' },
      { 'x-nectar-name': 'a%E2%80%AEb' },
      { 'x-nectar-name': 'n'.repeat(513) },
      { 'x-nectar-labels': 'a,,b' },
      { 'x-nectar-labels': Array.from({ length: 33 }, (_, i) => `l${i}`).join(',') },
      { 'idempotency-key': 'with space' },
    ]) {
      assertProblem(await put('x', headers as unknown as Record<string, string>), 400, 'GATEWAY_REQUEST_INVALID');
    }
    assertProblem(await put('x', { 'content-type': 'text' }), 415, 'GATEWAY_MEDIA_TYPE_UNSUPPORTED');
  });

  it('names no value of the request in a problem', async () => {
    const answer = await h.call('GET', '/v1/records/Jane-Doe-1980', { token });
    assert.ok(!answer.bytes.toString().includes('Jane'));
  });
});
