import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { writeOutputFile } from '../../../cli/output-file.ts';
import { checkPassphrase, passphraseHint, readPassphrase } from '../../../cli/passphrase.ts';
import { type Found, type PutSource, putSources } from '../../../cli/put-sources.ts';
import { type ErrorCode, isNectarError } from '../../../protocol/errors.ts';
import { fakeTerminal } from './capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { terminal } = fakeTerminal();

async function* stream(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function found(...operands: string[]): Promise<Found[]> {
  const all: Found[] = [];
  for await (const each of putSources(operands, terminal)) all.push(each);
  return all;
}

async function sources(...operands: string[]): Promise<PutSource[]> {
  return (await found(...operands)).flatMap((each) => ('source' in each ? [each.source] : []));
}

async function read(source: PutSource): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('an output file appears whole or not at all, and overwrites only by force', async () => {
  const path = join(folder, 'out');
  const failing = async function* () {
    yield Buffer.from('half');
    throw new Error('broken off');
  };
  await assert.rejects(writeOutputFile(path, failing(), false), /broken off/);
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(await writeOutputFile(path, stream('ab', 'c'), false), 3);
  await assert.rejects(writeOutputFile(path, stream('x'), false), (error) => isNectarError(error, 'CLI_OUTPUT_EXISTS'));
  await assert.rejects(writeOutputFile(path, failing(), true), /broken off/);
  assert.equal(readFileSync(path, 'utf8'), 'abc');
  await writeOutputFile(path, stream('new'), true);
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.deepEqual(readdirSync(folder), ['out']);
  await assert.rejects(writeOutputFile(join(folder, 'no/where'), stream('x'), false), (error) =>
    isNectarError(error, 'CLI_OUTPUT_UNWRITABLE'),
  );
});

test('a file that appears meanwhile is not overwritten', async () => {
  const path = join(folder, 'raced');
  const racing = async function* () {
    yield Buffer.from('mine');
    writeFileSync(path, 'theirs');
  };
  await assert.rejects(writeOutputFile(path, racing(), false), (error) => isNectarError(error, 'CLI_OUTPUT_EXISTS'));
  assert.equal(readFileSync(path, 'utf8'), 'theirs');
});

test('a download in chunks of any size is written as it came', async () => {
  const path = join(folder, 'chunks');
  const chunks = [1, 70_000, 1024 * 1024, 3, 2 * 1024 * 1024 + 5, 900_000].map((size) => randomBytes(size));
  const bytes = await writeOutputFile(path, Readable.from(chunks), false);
  assert.equal(bytes, Buffer.concat(chunks).length);
  assert.ok(readFileSync(path).equals(Buffer.concat(chunks)));
});

test('walks folders in order and does not follow links out of them', async () => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'b'), { recursive: true });
  writeFileSync(join(tree, 'b', 'two.json'), '{"resourceType":"Patient"}');
  writeFileSync(join(tree, 'a.txt'), '');
  symlinkSync('/etc', join(tree, 'etc'));
  symlinkSync('/etc/hostname', join(tree, 'host'));
  const walked = await sources(tree);
  assert.deepEqual(
    walked.map(({ name, bytes, contentType }) => [name, bytes, contentType]),
    [
      ['a.txt', 0, 'text/plain'],
      ['b/two.json', 26, 'application/fhir+json'],
    ],
  );
  assert.deepEqual(await Promise.all(walked.map(read)), ['', '{"resourceType":"Patient"}']);
  assert.deepEqual(
    (await found(tree)).filter((each) => 'leftOut' in each),
    [
      { file: join(tree, 'etc'), leftOut: 'a link' },
      { file: join(tree, 'host'), leftOut: 'a link' },
    ],
  );
});

test('an unreadable file is named, and one that shrank while it was read is an error', async () => {
  for (const operand of [join(folder, 'nothing'), '/dev/null']) {
    const [item, ...more] = await found(operand);
    assert.ok(item !== undefined && 'error' in item && isNectarError(item.error, 'CLI_FILE_UNREADABLE'));
    assert.deepEqual([item.file, more], [operand, []]);
  }
  const path = join(folder, 'shrinks');
  writeFileSync(path, 'long content'.repeat(10_000));
  const [source] = await sources(path);
  truncateSync(path, 4);
  assert.ok(source);
  await assert.rejects(read(source), (error) => isNectarError(error, 'CLI_FILE_CHANGED'));
});

test('a file that was written to while it was read is an error before its last piece leaves, at the same size too', async () => {
  const path = join(folder, 'rewritten');
  writeFileSync(path, Buffer.alloc(3 * 1024 * 1024, 1));
  const [source] = await sources(path);
  assert.ok(source);
  let bytes = 0;
  const reading = async (): Promise<void> => {
    for await (const piece of source.open()) {
      bytes += piece.length;
      writeFileSync(path, Buffer.alloc(3 * 1024 * 1024, 2));
      utimesSync(path, 1, 1);
    }
  };
  await assert.rejects(reading(), (error) => isNectarError(error, 'CLI_FILE_CHANGED'));
  assert.ok(bytes < 3 * 1024 * 1024);
});

test('reads a passphrase from a file or stdin without its line end, and asks for nothing else', async () => {
  const path = join(folder, 'pass');
  const text = async (bytes: Promise<Uint8Array>) => Buffer.from(await bytes).toString();
  for (const [content, passphrase] of [
    ['four words of it\n', 'four words of it'],
    ['x y\r\n', 'x y'],
    ['a\n\n', 'a\n'],
    [' a ', ' a '],
    ['\ufeffmarked\r\n', 'marked'],
    [Buffer.from('\ufeffNotepad ü\r\n', 'utf16le'), 'Notepad ü'],
    [Buffer.from('\ufeffbig end\n', 'utf16le').swap16(), 'big end'],
  ] as const) {
    writeFileSync(path, content);
    assert.equal(await text(readPassphrase(terminal, path)), passphrase);
    assert.equal(await text(readPassphrase(fakeTerminal({ stdin: content }).terminal, '-')), passphrase);
  }
  await assert.rejects(readPassphrase(terminal, undefined), (error) => isNectarError(error, 'CLI_PASSPHRASE_MISSING'));
  writeFileSync(path, 'x'.repeat(5000));
  await assert.rejects(readPassphrase(terminal, path), (error) => isNectarError(error, 'CLI_FILE_UNREADABLE'));
});

test('counts characters, not bytes, of a new passphrase, and refuses what guessers try first', async () => {
  const refused = (text: string, code: ErrorCode) =>
    assert.rejects(
      checkPassphrase(Buffer.from(text)),
      (error) => isNectarError(error, code) || assert.fail(String(error)),
    );
  await refused('äöüäöüäöüäö', 'CLI_PASSPHRASE_WEAK');
  for (const weak of [
    'password1234',
    'qwertyuiopasdf',
    'aaaaaaaaaaaaaaaaaaaa',
    '123456789012',
    'Password123456!',
    'nectarclinic',
  ])
    await refused(weak, 'KEY_PASSPHRASE_WEAK');
  await refused('two lines\nof a passphrase', 'KEY_PASSPHRASE_INVALID');
  for (const strong of [
    'äpfel rosten nie über Nacht',
    'correct horse battery',
    'xK3#v9!pQz7&',
    '\ufefffour random words here\r\n',
  ])
    await checkPassphrase(Buffer.from(strong));
  assert.match(passphraseHint('short') ?? '', /^7 more characters/);
  assert.match(passphraseHint('aaaaaaaaaaaaaaaa') ?? '', /almost one/);
  assert.equal(passphraseHint('correct horse battery'), undefined);
});
