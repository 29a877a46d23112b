import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { createCertificates } from '../../../appliance/gateway/index.ts';
import { writeRunning } from '../../../cli/provision/process/running.ts';
import { type Captured, capture } from './capture.ts';

/** Commands against a gateway double over real TLS: what they send, and what they make of good and hostile answers. */
type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const folder = mkdtempSync(join(tmpdir(), 'nectar-cli-gateway-'));
const home = join(folder, 'home');
const ID = '3f2a9c5e7b1d4f608192a3b4c5d6e7f8';
const VERSION = { 'x-nectar-record-version': '1', 'x-nectar-created-at': '2026-11-23T00:00:00.000Z' };
const receipt = { recordId: ID, version: 1, cid: 'bafk', bytes: 5, auditLeaf: 7 };
const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
let server: Server;
let gateway = '';
let answer: Answer = () => undefined;

before(async () => {
  const made = await createCertificates({ nodeId: ID, hostName: 'test', names: [], now: Date.now() });
  for (const path of ['tls', 'client', 'run']) mkdirSync(join(home, path), { recursive: true });
  for (const path of ['config.json', 'keys.json']) writeFileSync(join(home, path), '{}');
  writeFileSync(join(home, 'tls/ca.crt'), made.caCertificate);
  writeFileSync(join(home, 'client/token'), 'the-token\n');
  server = createServer({ key: made.serverKey, cert: made.serverCertificate }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  gateway = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  writeRunning(home, gateway);
});

afterEach(() => {
  seen.length = 0;
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const json =
  (status: number, value: unknown): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
const problem = (status: number, code: string, data: unknown): Answer =>
  json(status, { code, data, status, detail: 'as it says' });
const run = (...args: string[]): Promise<Captured> => capture([...args, '--home', home, '--json']);
const codeOf = ({ stderr }: Captured): string => JSON.parse(stderr).error.code;

test('a content type that would end its header is a usage error, and nothing is sent', async () => {
  const file = join(folder, 'typed');
  writeFileSync(file, 'hello');
  const run = await capture(['put', file, '--content-type', 'a/b\r\nx-nectar-name: c', '--home', home, '--json']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /CLI_USAGE/);
  assert.deepEqual(seen, []);
});

test('put streams the bytes with their type, name, labels and the token', async () => {
  const file = join(folder, 'père & fils.json');
  writeFileSync(file, '{"resourceType":"Patient"}');
  answer = json(201, receipt);
  const ran = await run('put', file, '--label', 'a', '--label', 'b,c');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(JSON.parse(ran.stdout), { file, recordId: ID, version: 1, cid: 'bafk', auditLeaf: 7 });
  const [sent] = seen;
  assert.deepEqual(
    [sent?.method, sent?.url, sent?.body.toString()],
    ['POST', '/v1/records', '{"resourceType":"Patient"}'],
  );
  const { authorization, 'content-type': type, 'content-length': length } = sent?.headers ?? {};
  assert.deepEqual([authorization, type, length], ['Bearer the-token', 'application/fhir+json', '26']);
  assert.deepEqual(
    [sent?.headers['x-nectar-labels'], sent?.headers['x-nectar-name']],
    ['a,b%2Cc', encodeURIComponent('père & fils.json')],
  );
});

test('put of stdin has no length, and --record makes a new version', async () => {
  answer = json(201, receipt);
  const ran = await capture(['put', '-', '--record', ID, '--home', home, '--json'], { stdin: 'hello' });
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual([seen[0]?.method, seen[0]?.url, seen[0]?.body.toString()], ['PUT', `/v1/records/${ID}`, 'hello']);
  assert.equal(seen[0]?.headers['content-length'], undefined);
});

test('a problem is the error that the node threw, with its exit code', async () => {
  answer = problem(503, 'KEY_LOCKED', {});
  const locked = await run('ls');
  assert.deepEqual([codeOf(locked), locked.code], ['KEY_LOCKED', 11]);
  answer = problem(507, 'NODE_DISK_FULL', { path: '/x' });
  assert.deepEqual(JSON.parse((await run('ls')).stderr).error.data, { path: '/x' });
});

test('a problem of another version, or of something else, is a gateway problem', async () => {
  for (const bad of [
    problem(400, 'OF_TOMORROW', {}),
    problem(400, 'NODE_DISK_FULL', null),
    problem(400, 'constructor', {}),
    json(502, 'no'),
    json(500, null),
  ]) {
    answer = bad;
    const ran = await run('ls');
    assert.deepEqual([codeOf(ran), ran.code], ['CLI_GATEWAY_PROBLEM', 13]);
  }
});

test('an answer of another shape is refused', async () => {
  for (const bad of [json(200, {}), json(200, { records: 'x' }), json(200, [])]) {
    answer = bad;
    assert.equal(codeOf(await run('ls')), 'CLI_GATEWAY_ANSWER_INVALID');
  }
  answer = (_, response) => response.end('<html>');
  assert.equal(codeOf(await run('ls')), 'CLI_GATEWAY_ANSWER_INVALID');
});

test('get writes the whole body, a range what was promised, and asks for just that', async () => {
  const out = join(folder, 'got');
  answer = (_, response) =>
    response.writeHead(200, { ...VERSION, 'content-length': '5', 'content-type': 'text/plain' }).end('hello');
  assert.equal((await run('get', ID, '-o', out)).code, 0);
  assert.equal(readFileSync(out, 'utf8'), 'hello');
  answer = (_, response) =>
    response.writeHead(206, { ...VERSION, 'content-length': '2', 'content-range': 'bytes 1-2/5' }).end('el');
  const piped = await run('get', ID, '--range', '1-2', '--version', '3');
  assert.equal(piped.stdout, 'el');
  assert.deepEqual([seen[1]?.url, seen[1]?.headers.range], [`/v1/records/${ID}?version=3`, 'bytes=1-2']);
});

test('a body that breaks off is an error, and no file', async () => {
  const out = join(folder, 'cut');
  answer = ({ headers }, response) => {
    const again = headers.range !== undefined;
    response.writeHead(again ? 206 : 200, {
      ...VERSION,
      'content-length': '10',
      ...(again && { 'content-range': 'bytes 0-9/10' }),
    });
    response.write('hal');
    setImmediate(() => response.destroy());
  };
  const ran = await run('get', ID, '-o', out);
  assert.deepEqual([codeOf(ran), ran.code], ['CLI_TRANSFER_TRUNCATED', 3]);
  assert.ok(!existsSync(out));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('partial')),
    [],
  );
});

/** A node that exports what `blob` answers. */
function exporting(blob: (response: ServerResponse) => void, associated = '01ff'): Answer {
  return (request, response) => {
    response.setHeader('x-nectar-record-version', '2').setHeader('x-nectar-audit-leaf', '8');
    if (request.url?.includes('/keyset') === true)
      response.setHeader('x-nectar-associated-data', '01ff').end('{"primaryKeyId":1}');
    else blob(response.setHeader('x-nectar-associated-data', associated));
  };
}

test('export makes a folder that only its owner reads, and says what it is', async () => {
  const to = join(folder, 'taken');
  answer = exporting((response) => response.writeHead(200, { 'content-length': '6' }).end('sealed'));
  const ran = await run('export', ID, '--to', to, '--json');
  assert.equal(ran.code, 0, ran.stderr);
  const { version, auditLeaf, bytes, warning } = JSON.parse(ran.stdout);
  assert.deepEqual([version, auditLeaf, bytes], [2, 8, 6]);
  assert.match(warning, /opens the record for whoever has it/);
  assert.deepEqual(
    seen.map(({ url }) => url),
    [`/v1/records/${ID}/keyset`, `/v1/records/${ID}/blob?version=2`],
  );
  const files = readdirSync(to).toSorted();
  assert.deepEqual(files, ['README.txt', 'associated-data.bin', 'keyset.json', 'record.sealed']);
  const modes = [to, ...files.map((file) => join(to, file))].map((path) => statSync(path).mode & 0o777);
  assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600, 0o600]);
  assert.deepEqual([...readFileSync(join(to, 'associated-data.bin'))], [1, 255]);
  assert.equal(readFileSync(join(to, 'record.sealed'), 'utf8'), 'sealed');
  assert.match(readFileSync(join(to, 'README.txt'), 'utf8'), /WARNING.*new_decrypting_stream.*NewDecryptingReader/s);
  const again = await run('export', ID, '--to', to, '--json');
  assert.equal(codeOf(again), 'CLI_USAGE');
  assert.equal(readFileSync(join(to, 'record.sealed'), 'utf8'), 'sealed');
});

test('an export that breaks off, or whose halves do not belong together, leaves no key behind', async () => {
  const to = join(folder, 'broken');
  answer = exporting((response) => {
    response.writeHead(200, { 'content-length': '6' }).write('sea');
    setImmediate(() => response.destroy());
  });
  assert.equal(codeOf(await run('export', ID, '--to', to, '--json')), 'CLI_TRANSFER_TRUNCATED');
  answer = exporting((response) => response.end('sealed'), '01fe');
  assert.equal(codeOf(await run('export', ID, '--to', to, '--json')), 'CLI_GATEWAY_ANSWER_INVALID');
  assert.ok(!existsSync(to));
});

test('pages through the list', async () => {
  const record = {
    ...receipt,
    contentType: 'a/b',
    labels: [],
    createdAt: '2026-11-23T06:00:00.000Z',
    kekId: 'kek/1',
    replicas: [],
    anchored: true,
  };
  const { auditLeaf: _, ...meta } = record;
  answer = (request, response) => {
    const more = !request.url?.includes('cursor=');
    response.end(JSON.stringify({ records: [meta], ...(more && { cursor: 'next&page' }) }));
  };
  const ran = await run('ls', '--all', '--label', 'x y');
  assert.equal(JSON.parse(ran.stdout).records.length, 2);
  assert.match(seen[1]?.url ?? '', /label=x\+y&cursor=next%26page/);
});

test('audit verify exits with 3 when something is violated', async () => {
  answer = json(200, { integrity: 'ok', completeness: 'violated', size: 3, findings: [{ code: 'X' }] });
  const ran = await run('audit', 'verify');
  assert.deepEqual([ran.code, codeOf(ran)], [3, 'CLI_AUDIT_VIOLATED']);
  assert.equal(JSON.parse(ran.stdout).completeness, 'violated');
});

test('the passphrase goes into the body and nowhere else', async () => {
  answer = json(200, { state: 'unlocked' });
  const ran = await capture(['unlock', '--passphrase-file', '-', '--home', home], { stdin: 'correct horse battery\n' });
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(JSON.parse(seen[0]?.body.toString() ?? ''), { passphrase: 'correct horse battery' });
  assert.ok(!`${ran.stdout}${ran.stderr}${seen[0]?.url}${JSON.stringify(seen[0]?.headers)}`.includes('horse'));
});

test('ls asks for the newest first in pages of a thousand, and says how it goes on', async () => {
  answer = (request, response, body) =>
    json(200, { records: [], ...(seen.length === 1 && { cursor: 'YmFy' }) })(request, response, body);
  assert.equal((await run('ls', '--newest', '--limit', '2000')).code, 0);
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['/v1/records?limit=1000&order=newest', '/v1/records?limit=1000&order=newest&cursor=YmFy'],
  );
});

test('rm asks, and where nobody can be asked destroys nothing', async () => {
  const ran = await run('rm', ID);
  assert.deepEqual([codeOf(ran), ran.code, seen.length], ['CLI_DECLINED', 2, 0]);
  answer = json(200, { recordId: ID });
  assert.equal((await run('rm', ID, '--yes')).code, 0);
  assert.deepEqual([seen[0]?.method, seen[0]?.url], ['DELETE', `/v1/records/${ID}`]);
});

test('trusts the CA of the home alone, and names a node that does not answer', async () => {
  const other = await createCertificates({ nodeId: ID, hostName: 'test', names: [], now: Date.now() });
  const ca = readFileSync(join(home, 'tls/ca.crt'));
  writeFileSync(join(home, 'tls/ca.crt'), other.caCertificate);
  const untrusted = await run('ls');
  writeFileSync(join(home, 'tls/ca.crt'), ca);
  assert.deepEqual([codeOf(untrusted), untrusted.code, seen.length], ['CLI_NODE_UNREACHABLE', 13, 0]);
  writeRunning(home, 'https://127.0.0.1:1');
  assert.equal(codeOf(await run('ls')), 'CLI_NODE_UNREACHABLE');
  rmSync(join(home, 'run/node.json'));
  assert.equal(codeOf(await run('ls')), 'CLI_NODE_STOPPED');
  writeRunning(home, gateway);
});
