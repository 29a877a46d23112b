import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LABELS } from '../../../cli/provision/docker/role-table.ts';
import { until } from '../../e2e/workplace.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

const image = fileURLToPath(new URL('../../data/OT-PAL-8-face.dcm', import.meta.url));
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

interface Containers {
  readonly ready: boolean;
  readonly containers: readonly {
    role: string;
    state: string;
    health: string;
    restarts: number;
    memoryBytes: number;
    current: boolean;
  }[];
}

test('a node in containers, from init to destroy', { skip: skipWithoutDocker, timeout: 400_000 }, async (t) => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  let nodeId = '';
  let recordId = '';
  const name = (role: string): string => `nectar-${nodeId.slice(0, 8)}-${role}`;
  after(() => place.close([home]));

  await t.test('shows every object in its plan and changes nothing', async () => {
    loadImages(DOCKER_SOCKET);
    const planned = await place.json<{ plan: { objects: string[][] }; checks: { grade: string }[] }>([
      'init',
      '--target',
      'docker',
      '--engine',
      DOCKER_SOCKET,
      '--plan',
      '--yes',
      ...at,
    ]);
    assert.equal(planned.plan.objects.length, 4 + 6 + 6 + 4 + 2);
    assert.ok(planned.checks.length > 10);
    assert.throws(() => statSync(home));
  });

  await t.test('is made, healthy, and admitted to the network', async () => {
    ({ nodeId } = await place.init(home));
    const status = await place.json<Containers>(['status', ...at]);
    assert.equal(status.ready, true);
    assert.deepEqual(
      status.containers.map(({ role, state }) => [role, state]),
      ['audit', 'store', 'rollup', 'gateway'].map((role) => [role, 'running']),
    );
    const memory = status.containers.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    assert.ok(memory < 512 * 1024 ** 2, `${memory} bytes idle`);
    const objects = await place.objectsOf(nodeId);
    assert.equal(objects.length, 4 + 16 + 2);
  });

  await t.test('leaves nothing private on the host but the key file and the token', () => {
    // The lock of those who change the containers is an empty database that is its owner's alone.
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
      (file) => statSync(`${home}/${file}`).isFile() && !file.startsWith('run/lock-converge/'),
    );
    assert.deepEqual(files.sort(), [
      'client/token',
      'config.json',
      'identity/public.json',
      'network.json',
      'target.json',
      'tls/ca.crt',
      'volumes.json',
    ]);
    const { config } = {
      config: JSON.parse(readFileSync(`${home}/config.json`, 'utf8')) as { keys: { keyFile: string } },
    };
    const { uid, gid, mode } = statSync(config.keys.keyFile);
    assert.deepEqual([uid, gid, mode & 0o777], [process.getuid?.(), 64002, 0o440]);
  });

  await t.test('runs confined: what the kernel says of each process', async () => {
    for (const [role, uid] of [
      ['gateway', 64001],
      ['store', 64002],
      ['audit', 64003],
      ['rollup', 64004],
    ] as const) {
      const status = readFileSync(`/proc/${await place.pidOf(name(role))}/status`, 'utf8');
      const field = (key: string): string => new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
      assert.deepEqual(field('Uid').split('\t'), Array(4).fill(String(uid)));
      for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapBnd', 'CapAmb'])
        assert.equal(Number.parseInt(field(set), 16), 0);
      assert.equal(field('NoNewPrivs'), '1');
      assert.equal(field('Seccomp'), '2');
    }
  });

  await t.test('stores and returns records, and its log verifies', async () => {
    const [receipt] = await place.lines<{ recordId: string }>(['put', image, ...at]);
    recordId = receipt?.recordId ?? '';
    const got = await place.run(['get', recordId, '-o', place.path('got'), ...at]);
    assert.equal(got.code, 0, got.stderr);
    assert.equal(sha256(place.path('got')), sha256(image));
    assert.equal((await place.json<{ integrity: string }>(['audit', 'verify', ...at])).integrity, 'ok');
  });

  await t.test('merges the logs of its containers, with the container in front', async () => {
    const lines = await place.lines<{ container: string; time: string }>(['logs', '-n', '500', ...at]);
    assert.deepEqual([...new Set(lines.map(({ container }) => container))].sort(), [
      'audit',
      'gateway',
      'rollup',
      'store',
    ]);
    const plain = await place.run(['logs', '-n', '5', ...at]);
    assert.equal(plain.stdout.trim().split('\n').length, 5);
    const follow = place.spawn(['logs', '-f', '-n', '1', ...at]);
    let seen = '';
    follow.stdout?.on('data', (chunk) => {
      seen += String(chunk);
    });
    await until('a first line', () => (seen.includes('\n') ? true : undefined));
    const before = seen.length;
    await place.engine.containers.stop(name('audit'), 10_000);
    await until('a line of the stop', () => (seen.slice(before).includes('audit') ? true : undefined));
    follow.kill('SIGINT');
    await place.json(['up', ...at]);
  });

  await t.test('comes back by itself when a process of it is killed', async () => {
    for (const role of ['store', 'audit', 'rollup', 'gateway']) {
      const killed = await place.pidOf(name(role));
      process.kill(killed, 'SIGKILL');
      await until(`${role} again`, async () => {
        const pid = await place.pidOf(name(role));
        return pid !== killed ? true : undefined;
      });
    }
    await until(
      'ready again',
      async () => {
        const run = await place.run(['get', recordId, '-o', place.path('again'), '--force', ...at]);
        return run.code === 0 ? true : undefined;
      },
      60_000,
    );
    assert.equal(sha256(place.path('again')), sha256(image));
  });

  await t.test('says of a wedged container that it is not well', async () => {
    const health = async () => (await place.engine.containers.find(name('audit')))?.State.Health?.Status;
    await until('a healthy audit', async () => ((await health()) === 'healthy' ? true : undefined));
    const pid = await place.pidOf(name('audit'));
    process.kill(pid, 'SIGSTOP');
    try {
      await until('an unhealthy audit', async () => ((await health()) === 'unhealthy' ? true : undefined), 150_000);
      const { stdout } = await place.run(['status', '--json', ...at]);
      const { containers } = JSON.parse(stdout.trim().split('\n')[0] ?? '') as Containers;
      assert.equal(containers.find(({ role }) => role === 'audit')?.health, 'unhealthy');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  await t.test('makes anew only what a changed setting concerns', async () => {
    const target = JSON.parse(readFileSync(`${home}/target.json`, 'utf8')) as Record<string, unknown>;
    writeFileSync(`${home}/target.json`, JSON.stringify({ ...target, limits: { audit: { pids: 80 } } }));
    const up = await place.json<{ changes: { recreated: string[]; started: string[] } }>(['up', ...at]);
    assert.deepEqual(up.changes.recreated, [name('audit')]);
    const again = await place.json<{ changes: { recreated: string[]; started: string[] } }>(['up', ...at]);
    assert.deepEqual(again.changes, { created: [], recreated: [], started: [], removed: [] });
  });

  await t.test('stops, stays stopped, and starts with everything in it', async () => {
    assert.equal((await place.json<{ wasRunning: boolean }>(['down', ...at])).wasRunning, true);
    assert.equal((await place.json<{ wasRunning: boolean }>(['down', ...at])).wasRunning, false);
    assert.equal((await place.error(['ls', ...at])).code, 'CLI_NODE_UNREACHABLE');
    assert.equal((await place.json<{ ready: boolean }>(['up', ...at])).ready, true);
    const run = await place.run(['get', recordId, '-o', place.path('third'), ...at]);
    assert.equal(run.code, 0, run.stderr);
  });

  await t.test('is destroyed without a trace, and nothing of others is touched', async () => {
    const foreign = `nectar-${nodeId.slice(0, 8)}-foreign`;
    await place.engine.volumes.create({ Name: foreign, Labels: { [LABELS.node]: 'f'.repeat(32) } });
    try {
      await place.json(['destroy', '--yes', ...at]);
      assert.deepEqual(await place.objectsOf(nodeId), []);
      assert.notEqual(await place.engine.volumes.find(foreign), undefined);
      assert.throws(() => statSync(home));
    } finally {
      await place.engine.volumes.remove(foreign);
    }
  });
});
