import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LABELS } from '../../../cli/provision/docker/role-table.ts';
import { findTarget } from '../../../cli/provision/docker/target-file.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

/** When the set-up is killed, after its beginning: before, in the middle of, and after the making of volumes. */
const KILLS_MS = [900, 1_800, 2_600, 3_500, 4_800] as const;

const argumentsOf = (home: string): string[] => [
  'init',
  '--target',
  'docker',
  '--engine',
  DOCKER_SOCKET,
  '--yes',
  '--home',
  home,
];

test('an init that is interrupted', { skip: skipWithoutDocker, timeout: 400_000 }, async (t) => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const nodes = new Set<string>();
  after(() => place.close([home]));
  loadImages(DOCKER_SOCKET);
  await place.json(['devnet', 'up']);

  await t.test('is undone or gone on with by the next one, wherever it was killed', async () => {
    for (const delayMs of KILLS_MS) {
      const child = place.spawn(argumentsOf(home));
      child.stdout?.resume();
      child.stderr?.resume();
      await sleep(delayMs);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.on('close', resolve));
      for (const folder of readdirSync(place.folder).filter((name) => name.startsWith('node'))) {
        const target = findTarget(place.path(folder));
        if (target !== undefined) nodes.add(target.nodeId);
      }
    }
    const { nodeId } = await place.json<{ nodeId: string }>(argumentsOf(home));
    for (const other of nodes) if (other !== nodeId) assert.deepEqual(await place.objectsOf(other), [], other);
    assert.equal((await place.objectsOf(nodeId)).length, 22);
    assert.deepEqual(
      readdirSync(place.folder).filter((name) => name.includes('staging')),
      [],
    );
    assert.equal((await place.json<{ ready: boolean }>(['status', '--home', home])).ready, true);
    await place.json(['destroy', '--yes', '--home', home]);
  });

  await t.test('leaves nothing when Ctrl-C ends it', async () => {
    const other = place.path('other');
    const child = place.spawn([...argumentsOf(other), '--port', '0'].slice(0, -2));
    child.stdout?.resume();
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += String(chunk);
    });
    while (!said.includes('making volumes')) await sleep(20);
    const staging = readdirSync(place.folder).find((name) => name.startsWith('other.staging'));
    assert.ok(staging);
    const { nodeId } = JSON.parse(readFileSync(place.path(staging, 'target.json'), 'utf8')) as { nodeId: string };
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 130);
    assert.deepEqual(await place.objectsOf(nodeId), []);
    assert.ok(!existsSync(other));
    assert.deepEqual(
      readdirSync(place.folder).filter((name) => name.startsWith('other')),
      [],
    );
  });

  await t.test('refuses a name that is taken before it changes anything', async () => {
    const made = place.path('third');
    const { nodeId } = await place.init(made);
    const taken = `nectar-${nodeId.slice(0, 8)}-gateway`;
    await place.engine.containers.remove(taken, { force: true });
    const image = findTarget(made)?.images.gateway;
    await place.engine.containers.create({
      name: taken,
      Image: image ?? '',
      Labels: { [LABELS.node]: 'f'.repeat(32) },
    });
    try {
      const { code, exit } = await place.error(['up', '--home', made]);
      assert.deepEqual([code, exit], ['CLI_ENGINE_NAME_TAKEN', 10]);
      assert.notEqual(await place.engine.containers.find(taken), undefined);
      await place.json(['destroy', '--yes', '--home', made]);
      assert.notEqual(await place.engine.containers.find(taken), undefined, 'destroy leaves it too');
    } finally {
      await place.engine.containers.remove(taken, { force: true });
    }
  });
});
