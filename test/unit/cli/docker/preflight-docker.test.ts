import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineFacts } from '../../../../cli/provision/docker/engine-facts.ts';
import {
  checkCgroups,
  checkEngineClock,
  checkEngineMemory,
  checkImage,
  checkRootless,
  checkSeccomp,
  checkStorage,
} from '../../../../cli/provision/docker/preflight-docker.ts';

const facts: EngineFacts = {
  kind: 'docker',
  version: '20.10.24',
  apiVersion: '1.41',
  storageDriver: 'overlay2',
  cgroupVersion: '2',
  rootless: false,
  remapped: false,
  seccomp: true,
  operatingSystem: 'Debian',
  architecture: 'x86_64',
  cpus: 2,
  memoryBytes: 8 * 1024 ** 3,
  rootFolder: '/var/lib/docker',
  clock: 1_000_000,
  warnings: [],
};

test('grades what the engine offers', () => {
  assert.equal(checkStorage(facts).grade, 'good');
  assert.equal(checkStorage({ ...facts, storageDriver: 'vfs' }).grade, 'poor');
  assert.equal(checkCgroups(facts).grade, 'good');
  assert.match(checkCgroups({ ...facts, warnings: ['No pids limit support'] }).advice ?? '', /pids/);
  assert.equal(checkSeccomp({ ...facts, seccomp: false }).grade, 'bad');
});

test('refuses an engine whose users are not the ones that the roles run as', () => {
  const grade = (change: Partial<EngineFacts>) => checkRootless({ ...facts, ...change }).grade;
  assert.deepEqual([grade({}), grade({ rootless: true })], ['good', 'poor']);
  assert.deepEqual([grade({ remapped: true }), grade({ rootless: true, kind: 'podman' })], ['bad', 'bad']);
});

test('grades memory by the limits of the containers', () => {
  const gib = 1024 ** 3;
  const grade = (memoryBytes: number) => checkEngineMemory({ ...facts, memoryBytes }).grade;
  assert.deepEqual([grade(gib / 4), grade(gib), grade(8 * gib)], ['bad', 'poor', 'good']);
});

test('compares the clock of the engine with this one', () => {
  const grade = (now: number) => checkEngineClock(facts, now).grade;
  assert.deepEqual(
    [grade(1_001_000), grade(1_010_000), grade(1_100_000), grade(900_000)],
    ['good', 'poor', 'bad', 'bad'],
  );
  assert.equal(checkEngineClock({ ...facts, clock: undefined }, 0).grade, 'poor');
});

test('says how to get an image that is missing', () => {
  assert.equal(checkImage({ name: 'nectar-byon-store:1', id: undefined }).grade, 'bad');
  assert.match(checkImage({ name: 'nectar-byon-store:1', id: undefined }).advice ?? '', /images\.ts build|bundle load/);
  assert.equal(checkImage({ name: 'nectar-byon-store:1', id: `sha256:${'a'.repeat(64)}` }).grade, 'good');
});
