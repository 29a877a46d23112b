import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { checkBackupAge } from '../../../../cli/life/check-backup.ts';
import { checkContainers, checkImageAge } from '../../../../cli/life/check-containers.ts';
import { checkVerifyAge } from '../../../../cli/life/last-verify.ts';
import { checkUpgrade, type UpgradeFacts } from '../../../../cli/life/upgrade/check-upgrade.ts';
import { leaveForEarlier, noteEarlierImages } from '../../../../cli/life/upgrade/earlier-images.ts';
import { compareVersions, readImageSet } from '../../../../cli/life/upgrade/image-set.ts';
import { imagesBefore, targetAfter, targetBefore } from '../../../../cli/life/upgrade/target-images.ts';
import { type ContainerStatus, describeVersions } from '../../../../cli/provision/docker/container-status.ts';
import type { DockerTarget } from '../../../../cli/provision/docker/target-file.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { capture } from '../capture.ts';
import { makeHome } from './stored-home.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-upgrade-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const NOW = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;
const id = (digit: string): string => `sha256:${digit.repeat(64)}`;
const images = (digit: string) => ({ gateway: id(digit), store: id(digit), audit: id(digit), rollup: id(digit) });
const container = (role: string, change: Partial<ContainerStatus> = {}): ContainerStatus => ({
  ...{ role, name: role, state: 'running', health: 'healthy', restarts: 0, startedAt: null },
  ...{
    memoryBytes: 10,
    memoryLimitBytes: 100,
    pids: 1,
    image: id('a'),
    current: true,
    version: '0.1.0',
    wantedImage: true,
  },
  ...change,
});
const image = (role: string, version: string) =>
  ({ Config: { Labels: { 'org.nectar-byon.role': role, 'org.nectar-byon.version': version } } }) as never;
const facts = (change: Partial<UpgradeFacts> = {}): UpgradeFacts => ({
  from: { version: '0.1.0', images: images('a') },
  to: { version: '0.2.0', images: images('b') },
  found: Object.fromEntries(['gateway', 'store', 'audit', 'rollup'].map((role) => [role, image(role, '0.2.0')])),
  containers: [container('store')],
  freeBytes: 1e12,
  lastBackup: { file: 'f', createdAt: new Date(NOW - DAY_MS).toISOString(), fileBytes: 1 },
  now: NOW,
  ...change,
});
const bad = (change: Partial<UpgradeFacts>): string[] =>
  checkUpgrade(facts(change))
    .filter(({ grade }) => grade === 'bad')
    .map(({ name }) => name);

test('lets a newer version of the right images onto a node that is well', () => {
  assert.deepEqual(
    checkUpgrade(facts()).filter(({ grade }) => grade !== 'good'),
    [],
  );
});

test('refuses an older version, missing or mixed-up images, a node that is not well, a full disk', () => {
  assert.deepEqual(bad({ from: { version: '0.3.0', images: images('a') } }), ['version']);
  assert.deepEqual(bad({ found: { ...facts().found, store: undefined as never } }), ['image store']);
  assert.deepEqual(bad({ found: { ...facts().found, store: image('audit', '0.2.0') } }), ['image store']);
  assert.deepEqual(bad({ found: { ...facts().found, audit: image('audit', '0.1.0') } }), ['image audit']);
  assert.deepEqual(bad({ containers: [container('store', { health: 'unhealthy' })] }), ['containers']);
  assert.deepEqual(bad({ containers: [container('store', { state: 'exited' })] }), ['containers']);
  assert.deepEqual(bad({ freeBytes: 1000 }), ['engine disk']);
});

test('advises a backup, and does not insist on one', () => {
  const [check] = checkUpgrade(facts({ lastBackup: undefined })).filter(({ name }) => name === 'backup');
  assert.deepEqual([check?.grade, check?.advice?.includes('backup')], ['poor', true]);
  const at = (days: number) => ({ file: 'f', createdAt: new Date(NOW - days * DAY_MS).toISOString(), fileBytes: 1 });
  assert.deepEqual(
    [1, 5, 30].map((days) => checkBackupAge(at(days), NOW).grade),
    ['good', 'poor', 'bad'],
  );
});

test('orders versions as semantic versioning does', () => {
  for (const [older, newer] of [
    ['0.1.0', '0.1.1'],
    ['0.9.9', '0.10.0'],
    ['1.0.0-rc.1', '1.0.0'],
    ['9.0.0', '10.0.0'],
  ] as const) {
    assert.ok(compareVersions(older, newer) < 0 && compareVersions(newer, older) > 0, `${older} ${newer}`);
  }
  const version = fc.tuple(fc.nat(), fc.nat(), fc.nat()).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(version, version, (a, b) => Math.sign(compareVersions(a, b)) === -Math.sign(compareVersions(b, a))),
  );
});

test('reads the digests of a release and nothing else', async () => {
  const path = join(folder, 'digests.lock.json');
  const roles = Object.fromEntries(
    Object.entries(images('c')).map(([role, digest]) => [role, { id: digest, reference: 'x' }]),
  );
  writeFileSync(path, JSON.stringify({ version: '0.2.0', architecture: 'amd64', roles }));
  assert.deepEqual(await readImageSet(path), { version: '0.2.0', images: images('c') });
  for (const text of ['{}', '[]', JSON.stringify({ version: '0.2.0', roles: { store: { id: id('a') } } })]) {
    writeFileSync(path, text);
    await assert.rejects(readImageSet(path), (error) => isNectarError(error, 'CLI_USAGE'));
  }
  await assert.rejects(readImageSet(join(folder, 'none')), (error) => isNectarError(error, 'CLI_FILE_UNREADABLE'));
});

test('says of a node without containers what an upgrade of it needs', async () => {
  const home = await makeHome(folder, 'home');
  for (const [args, status, code, said] of [
    [['upgrade', '--image-set', 'x.json'], 2, 'UPGRADE_NOT_CONTAINERS', /folder of its own/],
    // Nothing runs and no upgrade was begun: there is nothing to take over.
    [['upgrade'], 3, 'UPGRADE_REFUSED', /node: is down/],
    [['rollback'], 2, 'UPGRADE_ROLLBACK_ABSENT', /no earlier version/],
  ] as const) {
    const ran = await capture([...args, '--home', home, '--json']);
    assert.equal(ran.code, status, ran.stderr);
    assert.equal(JSON.parse(ran.stderr).error.code, code);
    assert.match(ran.stderr, said);
  }
});

test('grades containers: one that hangs, one that restarts, one near its memory limit', () => {
  const grades = (change: Partial<ContainerStatus>) =>
    checkContainers([container('store', change)]).map(({ grade }) => grade);
  assert.deepEqual(grades({}), ['good', 'good']);
  assert.deepEqual(grades({ health: 'unhealthy', healthReason: 'no answer' }), ['bad', 'good']);
  assert.deepEqual(grades({ state: 'exited', memoryBytes: null }), ['bad']);
  assert.deepEqual(grades({ restarts: 3 }), ['poor', 'good']);
  assert.deepEqual(grades({ memoryBytes: 80 }), ['good', 'poor']);
  assert.deepEqual(grades({ memoryBytes: 95 }), ['good', 'bad']);
  assert.deepEqual(
    [10, 200].map((days) => checkImageAge([NOW, NOW - days * DAY_MS], NOW).grade),
    ['good', 'poor'],
  );
  assert.equal(checkImageAge([], NOW).grade, 'bad');
});

test('an upgrade that was interrupted goes on, from and back to what the node had before it', () => {
  const target: DockerTarget = {
    ...{ version: 1, target: 'docker', state: 'ready', engine: 'unix:///e', engineKind: 'docker' },
    ...{ nodeId: 'ab'.repeat(16), programVersion: '0.1.0', images: images('a') },
  };
  const to = { version: '0.2.0', images: images('b') };
  const begun = targetAfter(target, to);
  assert.deepEqual(begun.previous, { programVersion: '0.1.0', images: images('a') });
  assert.deepEqual(targetAfter(begun, to), begun, 'run again, it remembers the same way back');
  assert.deepEqual(imagesBefore(begun, to).images, images('a'));
  assert.deepEqual(targetBefore(target, to), target);
  assert.deepEqual(targetBefore(begun, to), target, 'and goes back there');
  const next = { version: '0.3.0', images: images('c') };
  assert.deepEqual(targetAfter(begun, next).previous, { programVersion: '0.2.0', images: images('b') });
  assert.deepEqual(targetBefore(begun, next), begun);
  const unwell = { containers: [container('store', { state: 'exited' })] };
  assert.deepEqual([bad(unwell), bad({ ...unwell, resumed: true })], [['containers'], []]);
});

test('containers of other images than the home names are said, with the version of each', () => {
  const all = [container('audit', { version: '0.2.0' }), container('store', { wantedImage: false })];
  assert.match(describeVersions(all) ?? '', /interrupted: audit 0\.2\.0, store 0\.1\.0 \(other image\)/);
  assert.equal(describeVersions([container('audit')]), undefined);
  assert.deepEqual(
    checkContainers(all)
      .filter(({ grade }) => grade === 'bad')
      .map(({ name }) => name),
    ['versions'],
  );
});

test('reminds of verifying the log', () => {
  const last = (days: number, integrity = 'ok') => ({
    at: new Date(NOW - days * DAY_MS).toISOString(),
    integrity,
    completeness: 'ok',
  });
  assert.deepEqual(
    [undefined, last(1), last(60), last(1, 'violated')].map((one) => checkVerifyAge(one, NOW).grade),
    ['poor', 'good', 'poor', 'bad'],
  );
});

test('after a rollback the way back is the one that the version had', async () => {
  const home = await makeHome(folder, 'way-back');
  const version = (name: string, letter: string) => ({ programVersion: name, images: images(letter) });
  const [v1, v2, v3] = [version('0.1.0', 'a'), version('0.2.0', 'b'), version('0.3.0', 'c')];
  const about = {
    ...({ version: 1, target: 'docker', state: 'ready', engine: 'unix:///e', engineKind: 'docker' } as const),
    nodeId: 'ab'.repeat(16),
  };
  // From v3, which was upgraded to from v2; begun again, it is noted once.
  for (let begun = 0; begun < 2; begun += 1) await noteEarlierImages(home, { ...about, ...v2, previous: v1 });
  assert.deepEqual(await leaveForEarlier(home, v2), v1, 'v3 -> v2');
  await noteEarlierImages(home, { ...about, ...v3, previous: v2 });
  assert.deepEqual(await leaveForEarlier(home, v2), v1, 'from a fourth to v3, back, and back again');
  assert.equal(await leaveForEarlier(home, v1), undefined, 'v1 came first');
  assert.equal(await leaveForEarlier(home, v2), undefined, 'what came after it is no way back');

  await noteEarlierImages(home, { ...about, ...v1 });
  assert.equal(await leaveForEarlier(home, v1), undefined, 'a first upgrade has nothing before it');
  writeFileSync(join(home, 'run', 'earlier-images.json'), '[{"programVersion":7}]');
  assert.equal(await leaveForEarlier(home, v2), undefined, 'what is damaged says nothing');
});
