import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkHomeFiles } from '../../../../cli/life/check-home-files.ts';

const FILES = ['config.json', 'network.json', 'keys.json', 'identity/public.json'];
const IDENTITIES = ['p2p', 'operator', 'checkpoint', 'token', 'tls-ca'].map((name) => `identity/${name}.sealed`);

test('names each file of a home that is missing, sealed identities that nothing has asked for yet too', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-home-'));
  t.after(() => rm(home, { recursive: true }));
  await mkdir(join(home, 'identity'));
  for (const name of [...FILES, ...IDENTITIES]) await writeFile(join(home, name), '');
  assert.equal(checkHomeFiles(home).grade, 'good');
  for (const name of [...FILES, ...IDENTITIES]) {
    await rm(join(home, name));
    const { grade, value } = checkHomeFiles(home);
    assert.deepEqual([grade, value], ['bad', `missing: ${name}`]);
    await writeFile(join(home, name), '');
  }
});
