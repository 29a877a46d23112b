import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeOutputFile } from '../../../../cli/output-file.ts';
import { withScratch } from '../../../../cli/provision/staging-folder.ts';
import { holdElsewhere } from '../../appliance/holding.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-scratch-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a scratch folder goes with its work, however that ends', async () => {
  const base = join(folder, 'run', 'backup');
  await withScratch(base, async (path) => writeFileSync(join(path, 'a'), 'sealed'));
  await assert.rejects(
    withScratch(base, async (path) => {
      writeFileSync(join(path, 'a'), 'sealed');
      throw new Error('broken off');
    }),
    /broken off/,
  );
  assert.deepEqual(readdirSync(join(folder, 'run')), []);
});

test('what a killed command left goes with the next one; what a living one uses stays, also when it empties its folder', async () => {
  const base = join(folder, 'backup');
  const [killed, living, foreign] = ['0123456789abcdef', 'fedcba9876543210', 'notes'].map((id) =>
    join(folder, `backup.scratch-${id}`),
  ) as [string, string, string];
  for (const path of [killed, living, foreign]) mkdirSync(join(path, 'files'), { recursive: true });
  const [first, second] = [
    await holdElsewhere(join(killed, 'run', 'lock-making'), 'backup'),
    await holdElsewhere(join(living, 'run', 'lock-making'), 'backup'),
  ];
  await first.kill();
  await withScratch(base, async (path) => {
    rmSync(path, { recursive: true });
    mkdirSync(path);
    await withScratch(base, async () => assert.ok(existsSync(path)));
  });
  assert.deepEqual([killed, living, foreign].map(existsSync), [false, true, true]);
  await second.release();
});

test('what a killed download staged long ago goes with the next one to that folder', async () => {
  const [old, young] = ['0000000000000000', '1111111111111111'].map((id) => join(folder, `.nectar-${id}.new`)) as [
    string,
    string,
  ];
  for (const path of [old, young]) writeFileSync(path, 'half');
  utimesSync(old, 1, 1);
  const content = (async function* () {
    yield Buffer.from('whole');
  })();
  await writeOutputFile(join(folder, 'out'), content, false);
  assert.deepEqual([old, young].map(existsSync), [false, true]);
});
