import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { homePaths } from '../../../appliance/config/index.ts';
import { createRoomReserve, roomReserveOf } from '../../../appliance/room-reserve.ts';
import { createLogger } from '../../../appliance/telemetry/index.ts';

const MIB = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), 'nectar-room-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const log = createLogger({ level: 'silent' });

/** A reserve on a volume whose free bytes the test tells. */
function stand(name: string) {
  const path = join(folder, name, 'reserve');
  const volume = { free: 0 };
  const reserve = createRoomReserve({ path, bytes: 2 * MIB }, { log, freeBytes: async () => volume.free });
  return { path, volume, reserve };
}

test('room is kept where there is ample, with its blocks and for its owner alone', async () => {
  const { path, volume, reserve } = stand('kept');
  volume.free = 100 * MIB;
  await reserve.keep();
  assert.equal(existsSync(path), false);
  volume.free = 1024 * MIB;
  await reserve.keep();
  const kept = statSync(path);
  assert.deepEqual([kept.size, kept.mode & 0o777], [2 * MIB, 0o600]);
  assert.ok(kept.blocks * 512 >= 2 * MIB, 'a file with holes keeps no room');
  assert.equal(statSync(join(folder, 'kept')).mode & 0o777, 0o700);
});

test('room is given up by a start before a running node does it, and not before', async () => {
  const { path, volume, reserve } = stand('given');
  volume.free = 1024 * MIB;
  await reserve.keep();
  await reserve.giveUp('start');
  volume.free = 20 * MIB;
  await reserve.giveUp('running');
  assert.ok(existsSync(path));
  await reserve.giveUp('start');
  assert.equal(existsSync(path), false);
  await reserve.giveUp('start');
  volume.free = 1024 * MIB;
  await reserve.keep();
  volume.free = 0;
  await reserve.giveUp('running');
  assert.equal(existsSync(path), false);
});

test('what a killed process kept of it is made whole', async () => {
  const { path, volume, reserve } = stand('half');
  volume.free = 1024 * MIB;
  await reserve.keep();
  writeFileSync(path, 'half');
  await reserve.keep();
  assert.equal(statSync(path).size, 2 * MIB);
});

test('each role keeps room on its own volume, in the folder of its lock; a devnet none', () => {
  const home = join(folder, 'home');
  for (const role of ['all', 'gateway', 'store', 'audit', 'rollup'] as const)
    assert.ok(roomReserveOf(home, role, log) !== undefined && homePaths(home).locks(role)[0] !== undefined);
  assert.equal(roomReserveOf(home, 'sequencer', log), undefined);
});
