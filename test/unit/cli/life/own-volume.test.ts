import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { homePaths } from '../../../../appliance/config/index.ts';
import { tryLock } from '../../../../appliance/folder-lock.ts';
import { MARK_FILE, markVolumes, requireVolumes } from '../../../../appliance/volume-marks.ts';
import { ownFolder, ownVolume } from '../../../../cli/life/own-volume.ts';
import { converge } from '../../../../cli/provision/docker/converge.ts';
import { desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { memoryEngine } from '../docker/memory-engine.ts';
import { exampleSpec } from '../docker/node-spec-example.ts';

const isUsage = (error: unknown): boolean => isNectarError(error, 'CLI_USAGE');
let home = '';
let mark = '';

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nectar-own-'));
  await markVolumes(home);
  mark = join(home, 'store', MARK_FILE);
  writeFileSync(join(home, 'store', 'records'), 'kept');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a volume whose mark is damaged or gone is marked anew by whoever says that it is the one', async () => {
  const before = readFileSync(mark, 'utf8');
  for (const damage of [undefined, '', '{"id":"', '{"id":"0"}', '[]']) {
    if (damage === undefined) rmSync(mark);
    else writeFileSync(mark, damage);
    assert.throws(
      () => requireVolumes(home),
      (error) => isNectarError(error, 'VOLUME_MISSING') && error.data.loss === 'unmarked',
    );
    await ownFolder({ home, volume: 'store' });
    requireVolumes(home);
    assert.equal(readFileSync(mark, 'utf8'), before);
  }
  assert.equal(readFileSync(join(home, 'store', 'records'), 'utf8'), 'kept');
});

test('a volume that is marked, of another node, empty, gone or in use is left alone', async () => {
  await assert.rejects(ownFolder({ home, volume: 'store' }), isUsage);
  const other = JSON.stringify({ id: 'f'.repeat(32) });
  writeFileSync(mark, other);
  await assert.rejects(ownFolder({ home, volume: 'store' }), isUsage);
  assert.equal(readFileSync(mark, 'utf8'), other);
  rmSync(mark);
  const lock = await tryLock(homePaths(home).locks('all')[0] ?? '', 'run all');
  await assert.rejects(ownFolder({ home, volume: 'store' }), (error) => isNectarError(error, 'NODE_HOME_IN_USE'));
  await lock?.release();
  rmSync(join(home, 'store'), { recursive: true });
  await assert.rejects(ownFolder({ home, volume: 'store' }), isUsage);
  mkdirSync(join(home, 'store'));
  await assert.rejects(ownFolder({ home, volume: 'store' }), isUsage);
});

test('in containers the volume is looked at first, and the same mark is written', async () => {
  const spec = exampleSpec();
  const memory = memoryEngine(Object.values(spec.images));
  const options = { say: () => undefined, seccomp: (one: { seccomp: string }) => one.seccomp };
  await converge(memory.engine, desiredState(spec), { ...options, volumes: 'all' });
  await ownVolume(memory.engine, spec, { home, volume: 'store' });
  assert.ok(memory.changes.includes('write /nectar/store'));
  memory.containers.clear();
  memory.volumes.delete('nectar-01234567-store');
  await assert.rejects(ownVolume(memory.engine, spec, { home, volume: 'store' }), (error) =>
    isNectarError(error, 'VOLUME_MISSING'),
  );
  assert.ok(!memory.volumes.has('nectar-01234567-store'));
});
