import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeBundle, writeFile } from '../../../images/bundle-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-bundle-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a reader of a file that is built again reads a whole file', () => {
  const path = join(folder, 'images', 'all.tar');
  writeFile(path, Buffer.alloc(100_000, 1));
  const reader = openSync(path, 'r');
  const first = Buffer.alloc(50_000);
  const rest = Buffer.alloc(100_000);
  readSync(reader, first);
  writeFile(path, Buffer.alloc(70_000, 2));
  const length = readSync(reader, rest);
  closeSync(reader);
  assert.deepEqual(Buffer.concat([first, rest.subarray(0, length)]), Buffer.alloc(100_000, 1));
  assert.deepEqual(readFileSync(path), Buffer.alloc(70_000, 2));
  assert.deepEqual(readdirSync(join(folder, 'images')), ['all.tar']);
});

test('a file that has its bytes already is left alone', () => {
  const path = join(folder, 'lock.json');
  writeFile(path, '{}');
  const { ino } = statSync(path);
  writeFile(path, Buffer.from('{}'));
  assert.equal(statSync(path).ino, ino);
  writeFile(path, '[]');
  assert.equal(readFileSync(path, 'utf8'), '[]');
});

test('a role is written file by file: what stays is never missing, what an earlier bundle left is removed', () => {
  const bytes = (text: string) => Buffer.from(text);
  const file = (name: string) => join(folder, 'dist', 'roles', 'store', name);
  writeBundle(join(folder, 'dist'), 'store', {
    files: new Map([
      ['main.mjs', bytes('1')],
      ['parts/same.wasm', bytes('2')],
      ['parts/old.wasm', bytes('3')],
    ]),
    maps: new Map([['main.mjs.map', bytes('4')]]),
  });
  const { ino } = statSync(file('parts/same.wasm'));
  writeBundle(join(folder, 'dist'), 'store', {
    files: new Map([
      ['main.mjs', bytes('5')],
      ['parts/same.wasm', bytes('2')],
    ]),
    maps: new Map([['main.mjs.map', bytes('4')]]),
  });
  assert.equal(readFileSync(file('main.mjs'), 'utf8'), '5');
  assert.equal(statSync(file('parts/same.wasm')).ino, ino);
  assert.deepEqual(readdirSync(file('parts')), ['same.wasm']);
});
