import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { tryLock } from '../../../../appliance/folder-lock.ts';
import { encodeArchive } from '../../../../cli/provision/docker/archive.ts';
import { gatewayUrl } from '../../../../cli/provision/docker/gateway-url.ts';
import { LABELS } from '../../../../cli/provision/docker/role-table.ts';
import { undoAbandoned } from '../../../../cli/provision/docker/staging.ts';
import { type DockerTarget, findTarget, writeTarget } from '../../../../cli/provision/docker/target-file.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { memoryEngine } from './memory-engine.ts';
import { exampleSpec } from './node-spec-example.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-docker-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const spec = exampleSpec();
const target: DockerTarget = {
  version: 1,
  target: 'docker',
  state: 'ready',
  engine: 'unix:///var/run/docker.sock',
  engineKind: 'docker',
  nodeId: spec.nodeId,
  programVersion: '1.2.3',
  images: spec.images,
};

test('reads the target that it wrote, and none where there is none', async () => {
  await writeTarget(join(folder, 'one'), target);
  assert.deepEqual(findTarget(join(folder, 'one')), target);
  assert.equal(findTarget(join(folder, 'two')), undefined);
});

test('refuses a damaged target with what is wrong in it', () => {
  const home = join(folder, 'damaged');
  mkdirSync(home);
  const cases: [string, RegExp][] = [
    ['{', /JSON/],
    [JSON.stringify({ ...target, nodeId: '../..' }), /nodeId/],
    [JSON.stringify({ ...target, images: { ...target.images, store: 'latest' } }), /images\/store/],
    [JSON.stringify({ ...target, limits: { store: { memoryBytes: 1 } } }), /memoryBytes/],
    [JSON.stringify({ ...target, extra: 1 }), /additional/i],
    [' '.repeat(70_000), /larger/],
  ];
  for (const [text, problem] of cases) {
    writeFileSync(join(home, 'target.json'), text);
    assert.throws(
      () => findTarget(home),
      (error) => isNectarError(error, 'CLI_TARGET_FILE_INVALID') && problem.test(error.data.problems.join()),
      text.slice(0, 40),
    );
  }
});

test('names the gateway where this machine reaches it', () => {
  assert.equal(gatewayUrl({ host: '192.0.2.7', port: 1 }), 'https://192.0.2.7:1');
  assert.equal(gatewayUrl({ host: '0.0.0.0', port: 1 }), 'https://127.0.0.1:1');
  assert.equal(gatewayUrl({ host: '::', port: 1 }), 'https://[::1]:1');
  assert.equal(gatewayUrl({ host: '2001:db8::1', port: 1 }), 'https://[2001:db8::1]:1');
});

test('packs files with their owners and modes', async () => {
  const archive = await encodeArchive([
    { path: 'identity', uid: 64002, mode: 0o700 },
    { path: 'identity/p2p.sealed', uid: 64002, mode: 0o600, content: Buffer.from('sealed') },
  ]);
  // ustar: name at 0, mode at 100, uid at 108, size at 124, type at 156; blocks of 512 bytes.
  const field = (block: number, at: number, length: number) =>
    archive
      .subarray(block * 512 + at, block * 512 + at + length)
      .toString('latin1')
      .replaceAll('\0', '')
      .trim();
  assert.deepEqual([field(0, 0, 100), field(0, 156, 1)], ['identity', '5']);
  assert.equal(field(1, 0, 100), 'identity/p2p.sealed');
  assert.equal(Number.parseInt(field(1, 100, 8), 8), 0o600);
  assert.equal(Number.parseInt(field(1, 108, 8), 8), 64002);
  assert.equal(field(2, 0, 6), 'sealed');
  assert.ok(Readable.from([archive]));
});

test('takes away what a killed init left, on the engine and on disk, and leaves a living one alone', async () => {
  const home = join(folder, 'clinic');
  const dead = `${home}.staging-0123456789abcdef`;
  const living = `${home}.staging-fedcba9876543210`;
  await writeTarget(dead, { ...target, state: 'creating' });
  const maker = await tryLock(join(living, 'run', 'lock-making'), 'init');
  mkdirSync(join(folder, 'another.staging-0123456789abcdef'));
  const memory = memoryEngine([]);
  memory.volumes.set('nectar-01234567-keys', { labels: { [LABELS.node]: spec.nodeId } });
  memory.volumes.set('somebody', { labels: {} });
  await undoAbandoned(home, memory.engine);
  assert.deepEqual([...memory.volumes.keys()], ['somebody']);
  const left = readdirSync(folder)
    .filter((name) => name.includes('staging'))
    .sort();
  assert.deepEqual(left, ['another.staging-0123456789abcdef', 'clinic.staging-fedcba9876543210']);
  await maker?.release();
});
