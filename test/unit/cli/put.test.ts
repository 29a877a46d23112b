import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { type CaptureOptions, capture } from './capture.ts';
import { StoringGateway } from './storing-gateway.ts';

/** `put` as its user has it, against a gateway double. */
const folder = mkdtempSync(join(tmpdir(), 'nectar-put-'));
const home = join(folder, 'home');
let gateway: StoringGateway;
let files = '';
let turn = 0;

before(async () => {
  gateway = await StoringGateway.start(home);
});
beforeEach(() => {
  for (const part of [gateway.kept, gateway.keys, gateway.refused, gateway.lost]) part.clear();
  gateway.requests.length = 0;
  gateway.fullFrom = Number.POSITIVE_INFINITY;
  gateway.isSilent = false;
  files = join(folder, `files-${turn++}`);
  mkdirSync(files);
});
after(() => {
  gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Line {
  readonly file: string;
  readonly recordId?: string;
  readonly storedBefore?: boolean;
  readonly wouldStore?: boolean;
  readonly leftOut?: string;
  readonly error?: { readonly code: string };
}

async function put(args: readonly string[], options: CaptureOptions = {}) {
  const { code, stdout, stderr } = await capture(['put', '--home', home, '--json', ...args], options);
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const error = stderr === '' ? undefined : (JSON.parse(stderr).error as { code: string; data: unknown });
  return { code, lines, error };
}

const write = (name: string | Buffer, content = 'x'): void =>
  writeFileSync(
    typeof name === 'string' ? join(files, name) : Buffer.concat([Buffer.from(`${files}/`), name]),
    content,
  );
const names = (): (string | undefined)[] => [...gateway.kept.values()].map(({ name }) => name);

test('names are what the file system allows: Latin-1, control characters, very long ones', async () => {
  write(Buffer.from('Befund_M\xfcller.txt', 'latin1'), 'latin');
  write('ring\u0007bell\n\u202e.txt', 'control');
  write('süß 😀.txt', 'utf-8');
  const deep = join(files, ...Array.from({ length: 3 }, () => 'd'.repeat(200)));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'scan.dcm'), 'deep');
  const { code, lines } = await put([files]);
  assert.equal(code, 0);
  assert.equal(lines.length, 4);
  const byContent = Object.fromEntries([...gateway.kept.values()].map(({ content, name }) => [content, name]));
  assert.equal(byContent.latin, 'Befund_Müller.txt');
  assert.equal(byContent.control, 'ring␇bell␊\ufffd.txt');
  assert.equal(byContent['utf-8'], 'süß 😀.txt');
  assert.match(byContent.deep ?? '', /^….{495,511}\/scan\.dcm$/);
  assert.ok((byContent.deep ?? '').length <= 512);
});

test('an operand that is no UTF-8 stands for every file whose name reads so, each put once', async () => {
  write(Buffer.from('a\xe4.txt', 'latin1'), 'first');
  write(Buffer.from('a\xf6.txt', 'latin1'), 'second');
  write('aä.txt', 'third');
  // What Node makes of the two names that a shell gives for a*.txt.
  const operand = join(files, 'a\ufffd.txt');
  const { code, lines } = await put([operand, operand]);
  assert.equal(code, 0);
  assert.deepEqual([...gateway.kept.values()].map(({ content }) => content).sort(), ['first', 'second']);
  assert.deepEqual(
    lines.map(({ leftOut }) => leftOut),
    [undefined, undefined, 'named before', 'named before'],
  );
});

test('a file that cannot be read ends nothing: the others are stored, it is named, exit code 3', async () => {
  write('a.txt');
  write('z.txt');
  const { code, lines, error } = await put([
    join(files, 'a.txt'),
    join(files, 'gone'),
    '/dev/null',
    join(files, 'z.txt'),
  ]);
  assert.equal(code, 3);
  assert.deepEqual(names(), ['a.txt', 'z.txt']);
  assert.deepEqual(
    lines.map((line) => line.error?.code),
    [undefined, 'CLI_FILE_UNREADABLE', 'CLI_FILE_UNREADABLE', undefined],
  );
  assert.equal(error?.code, 'CLI_PUT_INCOMPLETE');
  const listed = [`${join(files, 'gone')} (CLI_FILE_UNREADABLE)`, '/dev/null (CLI_FILE_UNREADABLE)'];
  assert.deepEqual(error?.data, { failed: 2, total: 4, files: listed });
});

test('one file that the node refuses ends nothing, sent together with others or alone', async () => {
  for (const name of ['a', 'b', 'c']) write(name, name);
  gateway.refused.add('b');
  const { code, lines } = await put([files]);
  assert.deepEqual([code, names()], [3, ['a', 'c']]);
  assert.deepEqual(
    lines.map((line) => line.error?.code),
    [undefined, 'GATEWAY_REQUEST_INVALID', undefined],
  );
});

test('of one file the error is its own', async () => {
  const { code, error } = await put([join(files, 'gone')]);
  assert.deepEqual([code, error?.code], [2, 'CLI_FILE_UNREADABLE']);
});

test('a node that takes no more ends the run, with what was stored said', async () => {
  for (let i = 0; i < 500; i += 1) write(`f${String(i).padStart(3, '0')}`);
  gateway.fullFrom = 3;
  const { code, lines, error } = await put([files]);
  assert.deepEqual([code, error?.code], [10, 'NODE_DISK_FULL']);
  assert.equal(lines.filter(({ recordId }) => recordId !== undefined).length, 3);
  assert.ok(lines.length < 500, 'nothing new began');
});

test('what is no file is left out, and said', async () => {
  write('a.txt');
  symlinkSync('/etc/hostname', join(files, 'link'));
  mkdirSync(join(files, 'empty'));
  const { code, lines } = await put([files, join(files, 'a.txt')]);
  assert.equal(code, 0);
  assert.deepEqual(
    lines.map(({ file, leftOut }) => [file.slice(files.length + 1), leftOut]),
    [
      ['a.txt', undefined],
      ['link', 'a link'],
      ['a.txt', 'named before'],
    ],
  );
});

test('a second run stores nothing twice: small and large, touched, with another mode, by another way there', async () => {
  write('small');
  write('large', 'y'.repeat(100_000));
  const first = await put([files]);
  assert.deepEqual([first.code, first.lines.length], [0, 2]);
  chmodSync(join(files, 'small'), 0o600);
  utimesSync(join(files, 'small'), 1, 1);
  const second = await put([`${files}/../${files.split('/').at(-1)}//`]);
  assert.deepEqual(
    second.lines.map(({ recordId, storedBefore }) => [recordId, storedBefore]),
    first.lines.map(({ recordId }) => [recordId, true]),
  );
  assert.equal(gateway.kept.size, 2);
});

test('what changed, or is to become another record, is stored', async () => {
  write('a', 'one');
  await put([files]);
  write('a', 'two');
  await put([files]);
  await put([files, '--label', 'ward']);
  await put([files, '--again']);
  await put([files, '--again']);
  assert.deepEqual(
    [...gateway.kept.values()].map(({ content, labels }) => [content, ...labels]),
    [['one'], ['two'], ['two', 'ward'], ['two'], ['two']],
  );
});

test('a file whose record was destroyed is stored anew, also where only the node remembers it', async () => {
  write('a');
  const [first] = (await put([files])).lines;
  gateway.kept.clear();
  const [second] = (await put([files])).lines;
  assert.ok(second?.recordId !== first?.recordId && second?.storedBefore !== true);
  rmSync(join(home, 'client/stored'), { recursive: true });
  gateway.kept.clear();
  const [third] = (await put([files])).lines;
  assert.ok(third?.recordId !== undefined && third.storedBefore !== true);
  assert.deepEqual([...gateway.kept.keys()], [third.recordId]);
});

test('a file whose record is lost, by the log, is stored anew', async () => {
  write('a');
  const [first] = (await put([files])).lines;
  gateway.lost.add(first?.recordId ?? '');
  gateway.keys.clear();
  const { code, lines } = await put([files]);
  assert.equal(code, 0);
  assert.ok(lines[0]?.recordId !== undefined && lines[0].recordId !== first?.recordId);
});

test('a run that ended before the answer came stored what the next one finds', async () => {
  for (const name of ['a', 'b', 'c']) write(name, name);
  gateway.isSilent = true;
  const broken = await put([files]);
  assert.deepEqual([broken.code, broken.lines.length, gateway.kept.size], [13, 0, 3]);
  gateway.isSilent = false;
  const { code, lines } = await put([files]);
  assert.equal(code, 0);
  assert.deepEqual(
    lines.map(({ storedBefore }) => storedBefore),
    [true, true, true],
  );
  assert.equal(gateway.kept.size, 3);
});

test('a new version is stored again once another one has followed it', async () => {
  const record = 'cd'.repeat(16);
  write('a', 'one');
  write('b', 'two');
  const version = (name: string) => put([join(files, name), '--record', record, '--name', 'n']);
  await version('a');
  assert.equal((await version('a')).lines[0]?.storedBefore, true);
  await version('b');
  await version('a');
  assert.deepEqual([gateway.kept.get(record)?.content, gateway.kept.get(record)?.version], ['one', 3]);
});

test('--label-from-path makes labels of the folders, --dry-run sends nothing and remembers nothing', async () => {
  mkdirSync(join(files, 'cardiology', '2026'), { recursive: true });
  writeFileSync(join(files, 'cardiology', '2026', 'scan'), 'x');
  const args = [files, '--label-from-path', '--label', 'all'];
  const dry = await put([...args, '--dry-run']);
  assert.deepEqual([dry.code, dry.lines.map(({ wouldStore }) => wouldStore), gateway.requests], [0, [true], []]);
  await put(args);
  const [kept] = gateway.kept.values();
  assert.deepEqual([kept?.name, kept?.labels], ['cardiology/2026/scan', ['all', 'cardiology', '2026']]);
  assert.equal((await put([...args, '--dry-run'])).lines[0]?.storedBefore, true);
});

test('a command is stored when it ended well, and only then', async () => {
  const run = (script: string, ...more: string[]) =>
    put(['--name', 'dump', '--command', ...more, '--', 'sh', '-c', script]);
  for (const [script, code] of [
    ['echo half of a dump; exit 1', 'CLI_COMMAND_FAILED'],
    ['head -c 3000000 /dev/zero; exit 1', 'CLI_COMMAND_FAILED'],
    ['echo half; kill -9 $$', 'CLI_COMMAND_FAILED'],
    ['exit 0', 'CLI_INPUT_EMPTY'],
  ] as const) {
    const { code: exit, error } = await run(script);
    assert.deepEqual([exit, error?.code], [3, code], script);
  }
  const absent = await put(['--command', '--', join(files, 'no-such-program')]);
  assert.equal(absent.error?.code, 'CLI_COMMAND_FAILED');
  assert.equal(gateway.kept.size, 0);
  assert.equal((await run('echo whole')).code, 0);
  assert.equal((await run('exit 0', '--allow-empty')).code, 0);
  assert.deepEqual(
    [...gateway.kept.values()].map(({ name, content }) => [name, content]),
    [
      ['dump', 'whole\n'],
      ['dump', ''],
    ],
  );
});

test('an empty stdin is no record', async () => {
  assert.equal((await put(['-'])).error?.code, 'CLI_INPUT_EMPTY');
  assert.equal(gateway.kept.size, 0);
  assert.equal((await put(['-', '--allow-empty'])).code, 0);
  assert.equal((await put(['-'], { stdin: 'x' })).code, 0);
  assert.equal(gateway.kept.size, 2);
});

test('a home that cannot be written to costs the notes and nothing else', async () => {
  write('a');
  rmSync(join(home, 'client/stored'), { recursive: true, force: true });
  writeFileSync(join(home, 'client/stored'), 'in the way');
  assert.equal((await put([files])).code, 0);
  assert.deepEqual(readdirSync(join(home, 'client')).sort(), ['stored', 'token']);
  assert.equal((await put([files])).lines[0]?.storedBefore, true, 'the node remembers');
  rmSync(join(home, 'client/stored'));
});
