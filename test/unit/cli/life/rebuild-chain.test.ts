import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { homePaths } from '../../../../appliance/config/index.ts';
import { tryLock } from '../../../../appliance/folder-lock.ts';
import { setChainAside, setVolumeAside } from '../../../../cli/life/rebuild-chain.ts';
import { converge } from '../../../../cli/provision/docker/converge.ts';
import { desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import { stopContainers } from '../../../../cli/provision/docker/stop-containers.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';
import { memoryEngine } from '../docker/memory-engine.ts';
import { exampleSpec } from '../docker/node-spec-example.ts';

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

test('in containers a helper moves it, in the volume of the rollup role alone, and never under one that runs', async () => {
  const spec = exampleSpec();
  const state = desiredState(spec);
  const memory = memoryEngine(Object.values(spec.images));
  const say = () => undefined;
  await converge(memory.engine, state, { volumes: 'all', say, seccomp: (one) => one.seccomp });
  const at = { home: '/home', stamp: '20261130T000000Z' };
  await assert.rejects(setVolumeAside(memory.engine, spec, at), (error) => isNectarError(error, 'NODE_HOME_IN_USE'));
  await stopContainers(memory.engine, state, { timeoutMs: 1, say });
  let helper: { HostConfig?: unknown; Cmd?: readonly string[] } | undefined;
  const { containers } = memory.engine;
  const watched = {
    ...memory.engine,
    containers: {
      ...containers,
      create: (body: Parameters<typeof containers.create>[0]) => {
        helper = body as unknown as typeof helper;
        return containers.create(body);
      },
    },
  };
  const { aside } = await setVolumeAside(watched, spec, at);
  assert.match(aside ?? '', /\/rollup\/db-20261130T000000Z$/);
  const mounts = JSON.stringify(helper?.HostConfig);
  assert.match(mounts, /nectar-01234567-rollup/);
  assert.doesNotMatch(mounts, /-keys|-store|-audit/);
  const folder = await mkdtemp(join(tmpdir(), 'nectar-rebuild-'));
  try {
    await mkdir(join(folder, 'db'));
    const source = helper?.Cmd?.find((part) => part.includes('renameSync')) ?? '';
    const args = ['--input-type=module', '-e', source, join(folder, 'db'), join(folder, 'db-x')];
    for (const _ of ['moves', 'finds none and is content']) execFileSync(process.execPath, args);
    assert.ok(existsSync(join(folder, 'db-x')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
