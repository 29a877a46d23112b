import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { homePaths } from '../../../../appliance/config/index.ts';
import { tryLock } from '../../../../appliance/folder-lock.ts';
import { setChainAside } from '../../../../cli/life/rebuild-chain.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';

test('puts the chain database of a node that is down aside, whole, and touches nothing of one that is up', async () => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-rebuild-'));
  try {
    const { terminal } = fakeTerminal();
    await mkdir(join(home, 'run'));
    await mkdir(join(home, 'rollup', 'db'), { recursive: true });
    await writeFile(join(home, 'rollup', 'db', 'CURRENT'), 'x');
    for (const path of homePaths(home).locks('all')) {
      const lock = await tryLock(path, 'run all');
      await assert.rejects(setChainAside(home, terminal), (error) => isNectarError(error, 'NODE_HOME_IN_USE'));
      await lock?.release();
    }
    const { aside } = await setChainAside(home, terminal);
    assert.match(aside ?? '', /rollup\/db-\d{8}T\d{6}Z$/);
    assert.equal(await readFile(join(aside ?? '', 'CURRENT'), 'utf8'), 'x');
    assert.equal(existsSync(join(home, 'rollup', 'db')), false);
    assert.deepEqual(await setChainAside(home, terminal), { aside: null });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
