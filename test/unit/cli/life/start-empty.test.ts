import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { homePaths } from '../../../../appliance/config/index.ts';
import { tryLock } from '../../../../appliance/folder-lock.ts';
import { findVolumeMarks, markVolumes, requireVolumes, startedEmpty } from '../../../../appliance/volume-marks.ts';
import { checkVolumes } from '../../../../cli/life/check-containers.ts';
import { checkVolumesOf } from '../../../../cli/life/check-home-files.ts';
import { startEmptyFolder, startEmptyVolume } from '../../../../cli/life/start-empty.ts';
import { converge } from '../../../../cli/provision/docker/converge.ts';
import { desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import { runHelper } from '../../../../cli/provision/docker/helper.ts';
import { findLostVolumes } from '../../../../cli/provision/docker/kept-volumes.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { type MemoryEngine, memoryEngine } from '../docker/memory-engine.ts';
import { exampleSpec } from '../docker/node-spec-example.ts';

const now = (): number => Date.parse('2026-11-30T10:00:00Z');
let home = '';

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nectar-empty-'));
  await markVolumes(home);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a folder that is lost begins empty, and says so from then on', async () => {
  for (const loss of ['gone', 'empty'] as const) {
    rmSync(join(home, 'audit'), { recursive: true });
    if (loss === 'empty') mkdirSync(join(home, 'audit'));
    assert.equal(checkVolumesOf(home).grade, 'bad');
    await startEmptyFolder({ home, volume: 'audit', now });
    requireVolumes(home);
    assert.deepEqual(startedEmpty(home), { startedEmpty: 'audit 2026-11-30T10:00:00.000Z' });
    assert.equal(checkVolumesOf(home).grade, 'good');
  }
});

test('a folder that is there, holds something else, or is in use is left alone', async () => {
  const isUsage = (error: unknown) => isNectarError(error, 'CLI_USAGE');
  await assert.rejects(startEmptyFolder({ home, volume: 'store', now }), isUsage);
  await assert.rejects(startEmptyFolder({ home, volume: 'rollup', now }), isUsage);
  rmSync(join(home, 'store', 'volume.json'));
  writeFileSync(join(home, 'store', 'of-somebody'), 'x');
  await assert.rejects(startEmptyFolder({ home, volume: 'store', now }), isUsage);
  assert.ok(existsSync(join(home, 'store', 'of-somebody')));
  rmSync(join(home, 'store'), { recursive: true });
  const before = findVolumeMarks(home);
  const lock = await tryLock(homePaths(home).locks('all')[0] ?? '', 'run all');
  await assert.rejects(startEmptyFolder({ home, volume: 'store', now }), (error) =>
    isNectarError(error, 'NODE_HOME_IN_USE'),
  );
  await lock?.release();
  assert.deepEqual(findVolumeMarks(home), before);
});

const spec = exampleSpec();
const state = desiredState(spec);
const options = { say: () => undefined, seccomp: (one: { seccomp: string }) => one.seccomp };

async function madeNode(): Promise<MemoryEngine> {
  const memory = memoryEngine(Object.values(spec.images));
  await converge(memory.engine, state, { ...options, volumes: 'all' });
  return memory;
}

/** As an admin does it: a volume goes only when no container uses it. */
function lose(memory: MemoryEngine, volume: string): void {
  memory.containers.clear();
  memory.volumes.delete(`nectar-01234567-${volume}`);
}

test('containers do not start on a volume that was filled and is gone, and nothing is made in its place', async () => {
  for (const volume of ['keys', 'store', 'audit', 'rollup', 'gateway']) {
    const memory = await madeNode();
    lose(memory, volume);
    const before = memory.changes.length;
    await assert.rejects(
      converge(memory.engine, state, { ...options, volumes: 'passing' }),
      (error) => isNectarError(error, 'VOLUME_MISSING') && error.data.volume === volume && error.data.loss === 'gone',
    );
    assert.equal(memory.changes.length, before);
    assert.equal(checkVolumes(await findLostVolumes(memory.engine, state)).grade, 'bad');
  }
});

test('what a start makes anew may be absent', async () => {
  for (const volume of ['config', 'sock-store', 'health-audit']) {
    const memory = await madeNode();
    lose(memory, volume);
    await converge(memory.engine, state, { ...options, volumes: 'passing' });
    assert.ok(memory.volumes.has(`nectar-01234567-${volume}`));
  }
});

test('no helper makes the engine create a volume that is gone', async () => {
  const memory = await madeNode();
  lose(memory, 'audit');
  const mounts = [
    { kind: 'volume', source: 'nectar-01234567-audit', target: '/nectar/audit', readOnly: true },
  ] as const;
  const before = memory.changes.length;
  await assert.rejects(
    runHelper(memory.engine, { nodeId: spec.nodeId, version: '1', image: spec.images.audit, uid: 1, mounts }),
    (error) => isNectarError(error, 'VOLUME_MISSING') && error.data.volume === 'audit',
  );
  assert.equal(memory.changes.length, before);
});

test('a lost volume of containers is made empty for whoever says so, with its mark in it', async () => {
  const memory = await madeNode();
  lose(memory, 'store');
  await startEmptyVolume(memory.engine, spec, { home, volume: 'store', now });
  assert.ok(memory.changes.includes('write /nectar/store'));
  assert.match(startedEmpty(home).startedEmpty ?? '', /^store 2026/);
  await converge(memory.engine, state, { ...options, volumes: 'passing' });
  await assert.rejects(startEmptyVolume(memory.engine, spec, { home, volume: 'rollup', now }), (error) =>
    isNectarError(error, 'CLI_USAGE'),
  );
});
