import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { unpackBundle } from '../../../../cli/life/bundle/unpack-bundle.ts';
import { unpackProgram } from '../../../../cli/life/bundle/unpack-program.ts';
import { VERSION } from '../../../../cli/version.ts';
import { isNectarError, NectarError } from '../../../../protocol/errors.ts';
import { capture } from '../capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-bundle-'));
const dist = join(folder, 'dist');
const file = join(folder, 'site.bundle');
const MACHINE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const PROGRAM = `nectar-byon-${VERSION}-linux-${MACHINE}.tar.gz`;
const INSTALLER = join(import.meta.dirname, '../../../../scripts/install.sh');

/** A program of one command, as the archive of the real one is built up. */
function writeProgram(path: string, script: string): void {
  const source = mkdtempSync(join(folder, 'program-'));
  mkdirSync(join(source, 'nectar-byon', 'lib'), { recursive: true });
  writeFileSync(join(source, 'nectar-byon', 'nectar-byon'), script);
  chmodSync(join(source, 'nectar-byon', 'nectar-byon'), 0o755);
  writeFileSync(join(source, 'nectar-byon', 'lib', 'data'), 'data');
  execFileSync('tar', ['-C', source, '-czf', path, 'nectar-byon/nectar-byon', 'nectar-byon/lib/data']);
}
after(() => rmSync(folder, { recursive: true, force: true }));
const save = (...args: string[]) => capture(['bundle', 'save', file, '--dist', dist, '--json', ...args]);

before(() => {
  mkdirSync(join(dist, 'images'), { recursive: true });
  writeFileSync(join(dist, 'images', 'nectar-byon-1.0.0-linux-amd64.tar'), Buffer.alloc(3_000_000, 7));
  writeFileSync(join(dist, 'images', 'digests.lock.json'), '{"version":"1.0.0"}\n');
});

const unpackTo = async (name: string): ReturnType<typeof unpackBundle> => {
  const target = join(folder, name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  return unpackBundle(file, target);
};

test('says what is not built yet', async () => {
  const ran = await save();
  assert.equal(JSON.parse(ran.stderr).error.code, 'BUNDLE_PART_MISSING');
  assert.match(ran.stderr, /no program/);
});

test('carries program, installer, images and digests, byte by byte', async () => {
  mkdirSync(join(dist, 'program'));
  writeProgram(join(dist, 'program', PROGRAM), '#!/bin/sh\necho the program\n');
  writeFileSync(join(dist, 'program', 'install.sh'), readFileSync(INSTALLER));
  const ran = await save();
  assert.equal(ran.code, 0, ran.stderr);
  const { digests, manifest } = await unpackTo('out');
  const names = [...digests.keys()];
  assert.deepEqual(names, ['digests.lock.json', 'install.sh', PROGRAM, 'nectar-byon-1.0.0-linux-amd64.tar']);
  assert.equal(manifest.format, 'nectar-byon-bundle');
  for (const name of names) {
    const source = [join(dist, 'images', name), join(dist, 'program', name)].find(existsSync) ?? '';
    assert.ok(readFileSync(join(folder, 'out', name)).equals(readFileSync(source)), name);
  }
});

test('gives a machine without an engine the program alone', async () => {
  const to = join(folder, 'next');
  const ran = await capture(['bundle', 'load', file, '--to', to, '--program-only', '--unsigned', '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const { command, images } = JSON.parse(ran.stdout) as { command: string; images: string[] };
  assert.deepEqual(images, []);
  assert.equal(execFileSync(command, { encoding: 'utf8' }), 'the program\n');
  assert.deepEqual(readdirSync(to).sort(), ['bundle.json', 'digests.lock.json', 'install.sh', 'nectar-byon']);
  assert.equal(statSync(join(to, 'nectar-byon', 'lib', 'data')).mode & 0o777, 0o644);
});

test('refuses a program that would write outside its folder, or that is cut off', async () => {
  const evil = join(folder, 'evil.tar.gz');
  for (const name of ['nectar-byon/../out', '../out', '/out', 'other/file']) {
    const source = mkdtempSync(join(folder, 'evil-'));
    writeFileSync(join(source, 'file'), 'x');
    execFileSync('tar', ['-C', source, '-czf', evil, '-P', `--transform=s#.*#${name}#`, 'file']);
    const to = mkdtempSync(join(folder, 'to-'));
    await assert.rejects(unpackProgram(evil, to), (error) => isNectarError(error, 'BUNDLE_INVALID'), name);
    assert.deepEqual(readdirSync(to), [], name);
  }
  const to = mkdtempSync(join(folder, 'to-'));
  const whole = readFileSync(join(dist, 'program', PROGRAM));
  for (const length of [0, 100, whole.length - 9]) {
    writeFileSync(evil, whole.subarray(0, length));
    await assert.rejects(unpackProgram(evil, to), (error) => isNectarError(error, 'BUNDLE_INVALID'), `${length}`);
    assert.deepEqual(readdirSync(to), [], `${length}`);
  }
});

test('install.sh brings the program to a machine that has none, and refuses a damaged one', () => {
  const files = join(folder, 'files');
  mkdirSync(files);
  execFileSync('tar', ['-xf', file, '-C', files]);
  const install = (to: string) => spawnSync('sh', ['install.sh', to], { cwd: files, encoding: 'utf8' });
  const to = join(folder, 'opt');
  const done = install(to);
  assert.equal(done.status, 0, done.stderr);
  assert.equal(execFileSync(join(to, 'nectar-byon', 'nectar-byon'), { encoding: 'utf8' }), 'the program\n');
  assert.match(install(to).stderr, /there already/);
  chmodSync(join(files, PROGRAM), 0o644);
  writeFileSync(join(files, PROGRAM), 'something else');
  const refused = install(join(folder, 'opt2'));
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /was altered/);
  assert.equal(existsSync(join(folder, 'opt2', 'nectar-byon')), false);
});

test('refuses a bundle with any part changed or cut off, before an image is loaded', async () => {
  const bytes = readFileSync(file);
  for (const at of [10, 600, 1600, 2200, 4500, 9000, 1_000_000, bytes.length - 2000]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x04;
    writeFileSync(file, changed);
    await assert.rejects(
      unpackTo('bad'),
      (error) => error instanceof NectarError && error.code.startsWith('BUNDLE_'),
      `byte ${at}`,
    );
  }
  for (const length of [0, 511, 4000, bytes.length - 1]) {
    writeFileSync(file, bytes.subarray(0, length));
    await assert.rejects(unpackTo('bad'), (error) => isNectarError(error, 'BUNDLE_INVALID'), `length ${length}`);
  }
  const ran = await capture([
    'bundle',
    'load',
    file,
    '--engine',
    '/nowhere/engine.sock',
    '--to',
    join(folder, 'kept'),
    '--json',
  ]);
  assert.equal(JSON.parse(ran.stderr).error.code, 'BUNDLE_INVALID');
  assert.equal(readdirSync(folder).includes('kept'), false);
});
