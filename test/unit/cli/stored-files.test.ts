import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStoredFiles, putKey, type StoredVersion } from '../../../cli/stored-files.ts';

const home = mkdtempSync(join(tmpdir(), 'nectar-stored-'));
after(() => rmSync(home, { recursive: true, force: true }));

const keyOf = (i: number): string => `aa${putKey([i]).slice(2)}`;
const versionOf = (i: number): StoredVersion => ({ recordId: i.toString(16).padStart(32, '0'), version: 1 });
const some = (from: number, to: number) =>
  new Map(Array.from({ length: to - from }, (_, i) => [keyOf(from + i), versionOf(from + i)]));

test('what one run noted the next one finds, and a line that is cut off or damaged is none', async () => {
  await openStoredFiles(home).remember(some(0, 3));
  appendFileSync(join(home, 'client/stored/aa'), `nonsense\n${keyOf(9)} ${'0'.repeat(20)}`);
  const files = openStoredFiles(home);
  assert.deepEqual(await files.find(keyOf(2)), versionOf(2));
  assert.equal(await files.find(keyOf(9)), undefined);
  await files.remember(new Map([[keyOf(2), { ...versionOf(2), version: 4 }]]));
  assert.equal((await openStoredFiles(home).find(keyOf(0)))?.version, 1);
});

test('a part that is full forgets its older half', async () => {
  const files = openStoredFiles(home, 10);
  await files.remember(some(20, 32));
  const lines = readFileSync(join(home, 'client/stored/aa'), 'latin1').trim().split('\n');
  assert.equal(lines.length, 5);
  const again = openStoredFiles(home, 10);
  assert.deepEqual(await again.find(keyOf(31)), versionOf(31));
  assert.equal(await again.find(keyOf(0)), undefined);
  assert.deepEqual(readdirSync(join(home, 'client/stored')), ['aa']);
});
