import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { unpackBundle } from '../../../../cli/life/bundle/unpack-bundle.ts';
import { isNectarError, NectarError } from '../../../../protocol/errors.ts';
import { capture } from '../capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-bundle-'));
const dist = join(folder, 'dist');
const file = join(folder, 'site.bundle');
after(() => rmSync(folder, { recursive: true, force: true }));
const save = (...args: string[]) =>
  capture(['bundle', 'save', file, '--dist', dist, '--package', folder, '--json', ...args]);

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
  assert.match(ran.stderr, /npm package/);
});

test('carries program, images and digests, byte by byte', async () => {
  writeFileSync(join(folder, 'nectar-byon-1.0.0.tgz'), 'the program');
  const ran = await save();
  assert.equal(ran.code, 0, ran.stderr);
  const { names, manifest } = await unpackTo('out');
  assert.deepEqual(names, ['digests.lock.json', 'nectar-byon-1.0.0.tgz', 'nectar-byon-1.0.0-linux-amd64.tar']);
  assert.equal(manifest.format, 'nectar-byon-bundle');
  for (const name of names) {
    const source = name.endsWith('.tgz') ? join(folder, name) : join(dist, 'images', name);
    assert.ok(readFileSync(join(folder, 'out', name)).equals(readFileSync(source)), name);
  }
});

test('refuses a bundle with any part changed or cut off, before an image is loaded', async () => {
  const bytes = readFileSync(file);
  for (const at of [10, 600, 1600, 2200, 3000, 5000, 1_000_000, bytes.length - 2000]) {
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
