import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  HOME_FORMAT,
  MIGRATIONS,
  type Migration,
  migrateFormat,
  readFormat,
  undoFormat,
} from '../../../appliance/home-format.ts';
import { isNectarError } from '../../../protocol/errors.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nectar-format-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rename = (from: number, change: (text: string) => string): Migration => ({
  from,
  title: `step ${from}`,
  run: async (home) => {
    const path = join(home, 'data');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  },
  undo: async (home) => {
    const path = join(home, 'data');
    writeFileSync(path, readFileSync(path, 'utf8').replace(String(from + 1), ''));
  },
});

test('takes migrations back, newest first, and goes on where it stopped', async () => {
  writeFileSync(join(folder, 'data'), 'a');
  const migrations = [rename(1, (text) => `${text}2`), rename(2, (text) => `${text}3`)];
  await migrateFormat(folder, { known: 3, migrations });
  const broken = migrations.map((one) =>
    one.from === 1 ? { ...one, undo: async () => Promise.reject(new Error('no')) } : one,
  );
  await assert.rejects(undoFormat(folder, 1, { known: 3, migrations: broken }), (error) =>
    isNectarError(error, 'HOME_MIGRATION_FAILED'),
  );
  assert.equal(readFormat(folder, 3), 2, 'the first step back is done');
  assert.deepEqual(await undoFormat(folder, 1, { known: 3, migrations }), ['step 1']);
  assert.deepEqual([readFileSync(join(folder, 'data'), 'utf8'), readFormat(folder, 1)], ['a', 1]);
  assert.deepEqual(await undoFormat(folder, 1, { known: 3, migrations }), []);
});

test('takes a folder without format.json for format 1', async () => {
  assert.equal(readFormat(folder), 1);
  assert.deepEqual(await migrateFormat(folder, { known: 1 }), []);
  assert.deepEqual(readdirSync(folder), []);
});

test('runs every migration in order, and each only once', async () => {
  writeFileSync(join(folder, 'data'), 'a');
  const migrations = [rename(2, (text) => `${text}3`), rename(1, (text) => `${text}2`)];
  assert.deepEqual(await migrateFormat(folder, { known: 3, migrations }), ['step 1', 'step 2']);
  assert.equal(readFileSync(join(folder, 'data'), 'utf8'), 'a23');
  assert.equal(readFormat(folder, 3), 3);
  assert.deepEqual(await migrateFormat(folder, { known: 3, migrations }), []);
  assert.equal(readFileSync(join(folder, 'data'), 'utf8'), 'a23');
});

test('keeps what was done when a later migration stops, and goes on from there', async () => {
  writeFileSync(join(folder, 'data'), 'a');
  let broken = true;
  const second = rename(2, (text) => `${text}3`);
  const migrations: Migration[] = [
    rename(1, (text) => `${text}2`),
    { ...second, run: async (home) => (broken ? Promise.reject(new Error('cut off')) : second.run(home)) },
  ];
  await assert.rejects(
    migrateFormat(folder, { known: 3, migrations }),
    (error) =>
      isNectarError(error, 'HOME_MIGRATION_FAILED') && error.data.from === 2 && error.data.reason === 'cut off',
  );
  assert.equal(readFormat(folder, 3), 2);
  broken = false;
  assert.deepEqual(await migrateFormat(folder, { known: 3, migrations }), ['step 2']);
  assert.equal(readFileSync(join(folder, 'data'), 'utf8'), 'a23');
});

test('refuses a home of a newer program, and touches nothing', async () => {
  writeFileSync(join(folder, 'format.json'), JSON.stringify({ format: HOME_FORMAT + 1 }));
  await assert.rejects(migrateFormat(folder), (error) => isNectarError(error, 'HOME_FORMAT_NEWER'));
  assert.deepEqual(readdirSync(folder), ['format.json']);
});

test('refuses a format that is none, and a gap in the migrations', async () => {
  for (const text of ['', '{}', '{"format":"1"}', '{"format":0}', '{"format":1.5}', 'null', 'x'.repeat(5000)]) {
    writeFileSync(join(folder, 'format.json'), text);
    assert.throws(
      () => readFormat(folder),
      (error) => isNectarError(error, 'HOME_FORMAT_INVALID'),
      text.slice(0, 20),
    );
  }
  rmSync(join(folder, 'format.json'));
  await assert.rejects(migrateFormat(folder, { known: 2, migrations: [] }), (error) =>
    isNectarError(error, 'HOME_MIGRATION_FAILED'),
  );
  assert.equal(existsSync(join(folder, 'format.json')), false);
});

test('ships a way from every format up to its own', () => {
  assert.deepEqual(
    MIGRATIONS.map(({ from }) => from),
    Array.from({ length: HOME_FORMAT - 1 }, (_, i) => i + 1),
  );
});
