import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isNodeHome } from '../../../cli/home-folder.ts';

const FILES = ['config.json', 'keys.json', 'identity/public.json', 'tokens.json', 'network.json'];

test('a home with any one file missing is still a home: it is never said that there is no node', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-home-'));
  t.after(() => rm(home, { recursive: true }));
  assert.equal(isNodeHome(home), false);
  await mkdir(join(home, 'identity'));
  for (const name of FILES) await writeFile(join(home, name), '{}');
  for (const name of FILES) {
    await rm(join(home, name));
    assert.equal(isNodeHome(home), true, `without ${name}`);
    await writeFile(join(home, name), '{}');
  }
  await rm(join(home, 'keys.json'));
  await writeFile(join(home, 'target.json'), '{}');
  assert.equal(isNodeHome(home), true, 'its keys in a volume');
});

test('a folder with other files is no home', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-home-'));
  t.after(() => rm(home, { recursive: true }));
  await writeFile(join(home, 'config.json'), '{}');
  assert.equal(isNodeHome(home), false);
});
