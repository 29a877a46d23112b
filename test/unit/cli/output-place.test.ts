import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { writeOutputFile } from '../../../cli/output-file.ts';
import { isStdout, openStream, outputFilePlace, outputPlace } from '../../../cli/output-place.ts';
import { type ErrorCode, isNectarError } from '../../../protocol/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-place-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
async function* body(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
const refused = (work: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(work, (error) => isNectarError(error, code) || assert.fail(String(error)));

test('a link stays a link: what it leads to is made, or replaced by force', async () => {
  writeFileSync(at('real'), 'old');
  symlinkSync('real', at('link'));
  symlinkSync('not-yet', at('dangling'));
  await refused(writeOutputFile(at('link'), body('new'), false), 'CLI_OUTPUT_EXISTS');
  await writeOutputFile(at('link'), body('new'), true);
  await writeOutputFile(at('dangling'), body('made'), false);
  assert.ok(lstatSync(at('link')).isSymbolicLink() && lstatSync(at('dangling')).isSymbolicLink());
  assert.deepEqual([readFileSync(at('real'), 'utf8'), readFileSync(at('not-yet'), 'utf8')], ['new', 'made']);
  symlinkSync('loop', at('loop'));
  await refused(writeOutputFile(at('loop'), body('x'), true), 'CLI_OUTPUT_UNWRITABLE');
});

test('what is no file is never replaced, also by force', async () => {
  mkdirSync(at('folder'));
  const server = createServer().listen(at('socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    for (const name of ['folder', 'socket'])
      for (const force of [false, true])
        await refused(writeOutputFile(at(name), body('x'), force), 'CLI_OUTPUT_UNWRITABLE');
    assert.ok(lstatSync(at('socket')).isSocket());
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  await refused(writeOutputFile(at('nowhere/file'), body('x'), false), 'CLI_OUTPUT_UNWRITABLE');
  const before = readdirSync('/dev').filter((name) => name.includes('nectar'));
  assert.equal(await writeOutputFile('/dev/null', body('ab', 'c'), false), 3);
  assert.ok(lstatSync('/dev/null').isCharacterDevice());
  assert.deepEqual(
    readdirSync('/dev').filter((name) => name.includes('nectar')),
    before,
  );
  await refused(writeOutputFile('/dev/full', body('x'), false), 'NODE_DISK_FULL');
});

test('a pipe is written through, waits for its reader, and not for ever', async () => {
  assert.equal(spawnSync('mkfifo', [at('pipe')]).status, 0);
  await refused(openStream(at('pipe'), 0), 'CLI_OUTPUT_UNWRITABLE');
  const written = writeOutputFile(at('pipe'), body('through ', 'it'), false);
  const reader = spawn('cat', [at('pipe')], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(await text(reader.stdout), 'through it');
  assert.equal(await written, 10);
  assert.ok(lstatSync(at('pipe')).isFIFO());
  await refused(outputFilePlace(at('pipe'), true), 'CLI_OUTPUT_UNWRITABLE');
});

test('the descriptors of this process are what was opened as them: nothing is cut off or renamed', async () => {
  writeFileSync(at('kept'), 'before ');
  const script = `
    import { writeOutputFile } from ${JSON.stringify(new URL('../../../cli/output-file.ts', import.meta.url).href)};
    const body = async function* () { yield Buffer.from('and after'); };
    await writeOutputFile('/dev/stdout', body(), true);
  `;
  const run = spawnSync('sh', ['-c', '"$0" --input-type=module -e "$1" >> "$2"', process.execPath, script, at('kept')]);
  assert.equal(run.status, 0, String(run.stderr));
  assert.equal(readFileSync(at('kept'), 'utf8'), 'before and after');
  assert.deepEqual(
    [isStdout('-'), isStdout('/dev/fd/1'), isStdout('/dev/fd/2'), isStdout('stdout')],
    [true, true, false, false],
  );
  assert.deepEqual(await outputPlace('/dev/stderr', false), { kind: 'stream', path: '/dev/stderr' });
});

test('an output that fails leaves nothing behind', async () => {
  const failing = async function* () {
    yield Buffer.from('half');
    throw new Error('broken off');
  };
  symlinkSync('never', at('to-never'));
  await assert.rejects(writeOutputFile(at('to-never'), failing(), false), /broken off/);
  assert.equal(existsSync(at('never')), false);
});
