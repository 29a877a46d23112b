import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  findVolumeMarks,
  MARK_FILE,
  MARKS_FILE,
  markStartedEmpty,
  markVolumes,
  requireVolumes,
  startedEmpty,
} from '../../../appliance/volume-marks.ts';
import { isNectarError } from '../../../protocol/errors.ts';

let home = '';
const at = (...parts: string[]): string => join(home, ...parts);

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nectar-marks-'));
  await markVolumes(home);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const misses = (volume: string, loss: string) => (error: unknown) =>
  isNectarError(error, 'VOLUME_MISSING') && error.data.volume === volume && error.data.loss === loss;

test('a node whose volumes are the ones that were filled starts', () => {
  requireVolumes(home);
  for (const role of ['store', 'audit', 'gateway', 'rollup'] as const) requireVolumes(home, role);
});

test('a lost volume is known, whether it is gone, empty or another one', () => {
  for (const volume of ['store', 'audit'] as const) {
    renameSync(at(volume), at('aside'));
    assert.throws(() => requireVolumes(home), misses(volume, 'gone'));
    mkdirSync(at(volume, 'lock'), { recursive: true });
    mkdirSync(at(volume, 'lost+found'));
    assert.throws(() => requireVolumes(home), misses(volume, 'empty'));
    writeFileSync(at(volume, 'format.json'), '{"format":1}');
    assert.throws(() => requireVolumes(home), misses(volume, 'unmarked'));
    writeFileSync(at(volume, MARK_FILE), '{"id":"');
    assert.throws(() => requireVolumes(home), misses(volume, 'unmarked'));
    writeFileSync(at(volume, MARK_FILE), JSON.stringify({ id: 'f'.repeat(32) }));
    assert.throws(() => requireVolumes(home), misses(volume, 'replaced'));
    rmSync(at(volume), { recursive: true });
    renameSync(at('aside'), at(volume));
    requireVolumes(home);
  }
});

test('a role looks at its own volume alone', () => {
  rmSync(at('audit'), { recursive: true });
  for (const role of ['store', 'gateway', 'rollup'] as const) requireVolumes(home, role);
  assert.throws(() => requireVolumes(home, 'audit'), misses('audit', 'gone'));
});

test('an older copy of the same volume is the same one: what it lacks is for the log to say', () => {
  cpSync(at('audit'), at('copy'), { recursive: true });
  rmSync(at('audit'), { recursive: true });
  renameSync(at('copy'), at('audit'));
  requireVolumes(home);
});

test('the containers find their marks beside the configuration', () => {
  mkdirSync(at('config'));
  writeFileSync(at('config', 'config.json'), '{}');
  cpSync(at('volumes.json'), at('config', 'volumes.json'));
  rmSync(at('volumes.json'));
  requireVolumes(home, 'store');
  rmSync(at('store'), { recursive: true });
  assert.throws(() => requireVolumes(home, 'store'), misses('store', 'gone'));
});

test('a node that was made before there were marks starts as it did', () => {
  rmSync(at('volumes.json'));
  rmSync(at('store'), { recursive: true });
  requireVolumes(home);
  assert.deepEqual(startedEmpty(home), {});
});

test('marks that say nothing stop the start, instead of passing for none', () => {
  for (const text of ['', '{}', '{"version":2}', '{"version":1,"volumes":{"store":{"id":"x"}}}', 'x'.repeat(5_000)]) {
    writeFileSync(at('volumes.json'), text);
    assert.throws(
      () => findVolumeMarks(home),
      (error) => isNectarError(error, 'VOLUME_MARKS_INVALID'),
    );
    assert.throws(
      () => requireVolumes(home),
      (error) => isNectarError(error, 'VOLUME_MARKS_INVALID'),
    );
  }
});

test('a volume that starts empty gets a mark of its own, and every start says since when', async () => {
  const before = readFileSync(at('store', MARK_FILE), 'utf8');
  rmSync(at('store'), { recursive: true });
  const mark = await markStartedEmpty(home, { volume: 'store', at: '2026-11-30T10:00:00.000Z' });
  assert.throws(() => requireVolumes(home), misses('store', 'gone'));
  mkdirSync(at('store'));
  writeFileSync(at('store', mark.name), mark.text);
  requireVolumes(home);
  assert.deepEqual(startedEmpty(home), { startedEmpty: 'store 2026-11-30T10:00:00.000Z' });
  writeFileSync(at('store', MARK_FILE), before);
  assert.throws(
    () => requireVolumes(home),
    misses('store', 'replaced'),
    'the lost one, put back later, is not taken for it',
  );
});

test('of a node that was made before there were marks, only the volume that began empty is marked', async () => {
  rmSync(at(MARKS_FILE));
  rmSync(at('audit', MARK_FILE));
  const mark = await markStartedEmpty(home, { volume: 'store', at: '2026-11-30T11:00:00.000Z' });
  writeFileSync(at('store', mark.name), mark.text);
  requireVolumes(home);
  assert.deepEqual(startedEmpty(home), { startedEmpty: 'store 2026-11-30T11:00:00.000Z' });
});
