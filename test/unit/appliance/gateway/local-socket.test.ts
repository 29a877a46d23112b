import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LOCAL_CALLER } from '../../../../appliance/gateway/local-caller.ts';
import { type Harness, startHarness } from './harness.ts';

const NO_FILE = { code: 'ENOENT' };
const isUnix = process.platform !== 'win32';

interface Answered {
  readonly status: number | undefined;
  readonly body: Buffer;
}

async function ask(options: RequestOptions, body: Uint8Array = new Uint8Array(0)): Promise<Answered> {
  const outgoing = request({ host: '127.0.0.1', agent: false, ...options });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = await incoming.toArray();
  return { status: incoming.statusCode, body: Buffer.concat(chunks) };
}

describe('the local socket', { skip: !isUnix }, () => {
  let folder: string;
  let path: string;
  let h: Harness;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-local-'));
    path = join(folder, 'gateway.sock');
    // Left by a node that was killed.
    await writeFile(path, '');
    h = await startHarness({ clientCertificates: 'required' }, { localSocketPath: path });
  });
  after(async () => {
    await h.stop();
    await assert.rejects(lstat(path), NO_FILE);
    await rm(folder, { recursive: true });
  });

  const local = async (): Promise<string> =>
    (await h.tokens.issue({ ...LOCAL_CALLER, scope: ['admin'], expiresInSeconds: 3_600 })).token;

  it('is its owner’s alone, in the place of one that was left', async () => {
    const { mode } = await lstat(path);
    assert.deepEqual([(await lstat(path)).isSocket(), mode & 0o777], [true, 0o600]);
  });

  it('answers as HTTPS does, without TLS, and puts this machine on record', async () => {
    const headers = { authorization: `Bearer ${await local()}` };
    const content = randomBytes(3 * 1024 * 1024 + 5);
    const put = await ask({ socketPath: path, method: 'POST', path: '/v1/records', headers }, content);
    assert.equal(put.status, 201, String(put.body));
    const { recordId } = JSON.parse(String(put.body)) as { recordId: string };
    const got = await ask({ socketPath: path, path: `/v1/records/${recordId}`, headers });
    assert.equal(got.status, 200);
    assert.ok(got.body.equals(content));
  });

  it('invites a body once it has looked at the token', async () => {
    const outgoing = request({
      socketPath: path,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/records',
      agent: false,
    });
    outgoing.setHeader('expect', '100-continue');
    outgoing.setHeader('authorization', `Bearer ${await local()}`);
    outgoing.setHeader('content-length', 3);
    outgoing.flushHeaders();
    await once(outgoing, 'continue');
    outgoing.end('abc');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(incoming.statusCode, 201);
    incoming.resume();
  });

  it('asks for a token, for a certificate where that is the rule, and for a host of its own', async () => {
    const nobody = await ask({ socketPath: path, path: '/v1/records' });
    assert.deepEqual([nobody.status, JSON.parse(String(nobody.body)).code], [401, 'GATEWAY_TOKEN_MISSING']);
    const headers = { authorization: `Bearer ${await h.token('admin')}` };
    const bare = await ask({ socketPath: path, path: '/v1/records', headers });
    assert.equal(JSON.parse(String(bare.body)).code, 'GATEWAY_CLIENT_CERTIFICATE_MISSING');
    const elsewhere = { authorization: `Bearer ${await local()}`, host: 'evil.example' };
    const other = await ask({ socketPath: path, path: '/v1/records', headers: elsewhere });
    assert.equal(JSON.parse(String(other.body)).code, 'GATEWAY_HOST_UNKNOWN');
    const denied = h.audit.events.filter(({ type }) => type === 'auth.denied');
    assert.ok(denied.length > 0 && denied.every(({ context }) => context.address === undefined));
  });

  it('answers what is not HTTP', async () => {
    const malformed = connect(path);
    malformed.write('hello\r\n\r\n');
    const chunks: Buffer[] = await malformed.toArray();
    assert.match(String(Buffer.concat(chunks)), /^HTTP\/1\.1 400 .*GATEWAY_REQUEST_MALFORMED/s);
  });

  it('frees a connection that says nothing', async () => {
    // Of its own, since so short a time may pass on a busy machine before a good request is there.
    const short = join(folder, 'short.sock');
    const brief = await startHarness({ headersTimeoutMs: 250 }, { localSocketPath: short });
    const silent = connect(short);
    silent.write('GET /v1/records HTTP/1.1\r\n');
    silent.resume().on('error', () => undefined);
    await new Promise((resolve) => silent.once('close', resolve));
    await brief.stop();
  });
});

describe('where there can be no local socket', { skip: !isUnix }, () => {
  it('HTTPS answers all the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nectar-local-'));
    const open = join(folder, 'open');
    await mkdir(open);
    await chmod(open, 0o755);
    for (const path of [
      join(open, 'gateway.sock'),
      join(folder, 'x'.repeat(120)),
      join(folder, 'absent', 'gateway.sock'),
    ]) {
      const h = await startHarness({}, { localSocketPath: path });
      await assert.rejects(lstat(path), NO_FILE);
      assert.equal((await h.call('GET', '/v1/records', { token: await h.token('admin') })).status, 200);
      await h.stop();
    }
    await rm(folder, { recursive: true });
  });
});
