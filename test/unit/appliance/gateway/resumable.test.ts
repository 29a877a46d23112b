import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { assertProblem, type CallOptions, eventually, type Harness, startHarness } from './harness.ts';

const OFFSET = 'application/offset+octet-stream';
const metadata = (pairs: Record<string, string>) =>
  Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

describe('resumable uploads (tus 1.0.0)', () => {
  let h: Harness;
  let token: string;
  before(async () => {
    h = await startHarness({ maxRecordBytes: 1024 * 1024, bodyIdleTimeoutMs: 300 });
    token = await h.token('records:read', 'records:write');
  });
  after(() => h.stop());

  const call = (method: string, path: string, { headers, ...rest }: CallOptions = {}) =>
    h.call(method, path, { token, ...rest, headers: { 'tus-resumable': '1.0.0', ...headers } });
  const create = async (length: number, pairs: Record<string, string> = {}) => {
    const headers = { 'upload-length': String(length), 'upload-metadata': metadata(pairs) };
    const answer = await call('POST', '/v1/uploads', { headers });
    assert.equal(answer.status, 201, answer.bytes.toString());
    return String(answer.headers.location);
  };
  const patch = (path: string, offset: number, body: Uint8Array | string) =>
    call('PATCH', path, { headers: { 'upload-offset': String(offset), 'content-type': OFFSET }, body });

  it('says what it speaks to whoever asks, and speaks nothing else', async () => {
    const answer = await h.call('OPTIONS', '/v1/uploads');
    assert.deepEqual(
      [answer.status, answer.headers['tus-version'], answer.headers['tus-extension'], answer.headers['tus-max-size']],
      [204, '1.0.0', 'creation,expiration,termination', String(1024 * 1024)],
    );
    const spoken = await h.call('POST', '/v1/uploads', {
      token,
      headers: { 'tus-resumable': '0.2', 'upload-length': '1' },
    });
    assertProblem(spoken, 412, 'GATEWAY_TUS_VERSION');
    assert.equal(spoken.headers['tus-version'], '1.0.0');
  });

  it('takes a record in parts, tells how far it is, and at last which record it is', async () => {
    const bytes = randomBytes(300_000);
    const path = await create(bytes.length, {
      filename: 'Röntgen 1.dcm',
      filetype: 'application/dicom',
      labels: 'a,b%2Cc',
    });
    const first = await patch(path, 0, bytes.subarray(0, 100_000));
    assert.deepEqual([first.status, first.headers['upload-offset']], [204, '100000']);
    const head = await call('HEAD', path);
    assert.deepEqual(
      [head.status, head.headers['upload-offset'], head.headers['upload-length'], head.headers['cache-control']],
      [200, '100000', '300000', 'no-store'],
    );
    assert.ok(Date.parse(String(head.headers['upload-expires'])) > 0);
    const wrong = await patch(path, 7, 'x');
    assertProblem(wrong, 409, 'STORE_UPLOAD_OFFSET');
    assert.equal(wrong.headers['upload-offset'], '100000');
    const last = await patch(path, 100_000, bytes.subarray(100_000));
    const record = `/v1/records/${last.headers['x-nectar-record-id']}`;
    assert.equal((await call('HEAD', path)).headers['x-nectar-record-id'], last.headers['x-nectar-record-id']);
    const got = await h.call('GET', record, { token });
    assert.deepEqual(got.bytes, bytes);
    const { name, contentType, labels } = h.store.find(String(last.headers['x-nectar-record-id'])).meta;
    assert.deepEqual([name, contentType, labels], ['Röntgen 1.dcm', 'application/dicom', ['a', 'b,c']]);
  });

  it('goes on where a broken connection ended', async () => {
    const path = await create(10);
    const socket = await h.dial();
    socket.on('error', () => undefined);
    const head = `Host: localhost\r\nAuthorization: Bearer ${token}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0`;
    socket.write(`PATCH ${path} HTTP/1.1\r\n${head}\r\nContent-Type: ${OFFSET}\r\nContent-Length: 10\r\n\r\n1234`);
    const id = path.split('/').at(-1) ?? '';
    await eventually(() => h.store.partial.get(id)?.got.length === 4, 'four bytes are there');
    socket.destroy();
    assert.equal((await call('HEAD', path)).headers['upload-offset'], '4');
    assert.equal((await patch(path, 4, '567890')).headers['upload-offset'], '10');
  });

  it('belongs to its subject, and ends when asked', async () => {
    const path = await create(10);
    const other = await h.tokens.issue({ subject: 'other', scope: ['records:write'], expiresInSeconds: 60 });
    const headers = { 'tus-resumable': '1.0.0' };
    assert.equal((await h.call('HEAD', path, { token: other.token, headers })).status, 404);
    assertProblem(await h.call('DELETE', path, { token: other.token, headers }), 404, 'STORE_UPLOAD_ABSENT');
    assert.equal((await call('DELETE', path)).status, 204);
    assertProblem(await call('DELETE', path), 404, 'STORE_UPLOAD_ABSENT');
    const reader = await h.token('records:read');
    assert.equal((await h.call('HEAD', path, { token: reader, headers })).status, 403);
  });

  it('refuses what is no creation, and what is no part', async () => {
    for (const headers of [
      { 'upload-length': '-1' },
      { 'upload-length': '1.5' },
      {},
      { 'upload-length': '1', 'upload-metadata': 'filename !!!' },
      { 'upload-length': '1', 'upload-metadata': 'a YQ==,a YQ==' },
      { 'upload-length': '1', 'upload-metadata': 'filename /w==' },
      { 'upload-length': '1', 'upload-metadata': metadata({ record: '../x' }) },
    ])
      assertProblem(await call('POST', '/v1/uploads', { headers }), 400, 'GATEWAY_REQUEST_INVALID');
    const large = { 'upload-length': String(1024 * 1024 + 1) };
    assertProblem(await call('POST', '/v1/uploads', { headers: large }), 413, 'GATEWAY_BODY_TOO_LARGE');
    const path = await create(10);
    const typed = { headers: { 'upload-offset': '0', 'content-type': 'text/plain' }, body: 'x' };
    assertProblem(await call('PATCH', path, typed), 415, 'GATEWAY_MEDIA_TYPE_UNSUPPORTED');
    assertProblem(
      await call('PATCH', path, { headers: { 'content-type': OFFSET }, body: 'x' }),
      400,
      'GATEWAY_REQUEST_INVALID',
    );
  });
});
