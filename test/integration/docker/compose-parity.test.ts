import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import type { ContainerState } from '../../../cli/provision/docker/engine-containers.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, reasonToSkip, skipWithoutDocker } from './docker-place.ts';

const COMMANDS = [['docker', 'compose'], ['docker-compose']] as const;
const compose = COMMANDS.find(([command, ...rest]) => spawnSync(command, [...rest, 'version']).status === 0);
const skip = skipWithoutDocker || reasonToSkip(compose !== undefined, 'docker compose');
const ROLES = ['audit', 'store', 'rollup', 'gateway'];

/** Ours of the settings: not ids, times, Compose's own labels, and neither the order of mounts nor the spaces in JSON. */
function settingsOf({ Config, HostConfig, Mounts, NetworkSettings }: ContainerState): object {
  const {
    SecurityOpt,
    Mounts: _order,
    Binds: _binds,
    VolumesFrom: _from,
    // Compose 1.29 leaves it to the engine, which makes it private with cgroup v2 only.
    CgroupnsMode: _cgroup,
    ...host
  } = HostConfig as unknown as Record<string, unknown>;
  const labels = Object.entries(Config.Labels).filter(([key]) => key.startsWith('org.'));
  return {
    config: { ...Config, Labels: Object.fromEntries(labels) },
    host,
    security: (SecurityOpt as string[]).map((text) => (text.startsWith('seccomp=') ? JSON.parse(text.slice(8)) : text)),
    mounts: Mounts.map(({ Type, Name, Source, Destination, RW }) => [Destination, Type, Name ?? Source, RW]).sort(),
    networks: Object.keys(NetworkSettings.Networks),
  };
}

test('docker compose makes the same containers of the file that we write', { skip, timeout: 300_000 }, async () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  after(() => place.close([home]));
  loadImages(DOCKER_SOCKET);
  const { nodeId } = await place.init(home);
  const names = ROLES.map((role) => `nectar-${nodeId.slice(0, 8)}-${role}`);
  const look = () =>
    Promise.all(
      names.map(async (name) => {
        const found = await place.engine.containers.find(name);
        assert.ok(found);
        return settingsOf(found);
      }),
    );
  const ours = await look();
  await place.json(['down', ...at]);
  for (const name of names) await place.engine.containers.remove(name);

  const { compose: file } = await place.json<{ compose: string }>(['up', '--emit', 'compose', ...at]);
  const [command = '', ...first] = compose ?? [];
  execFileSync(command, [...first, '-f', file, 'up', '-d'], {
    stdio: 'pipe',
    env: { ...process.env, DOCKER_HOST: `unix://${DOCKER_SOCKET}` },
  });
  assert.deepEqual(await look(), ours);

  const up = await place.json<{ ready: boolean; changes: object }>(['up', ...at]);
  assert.deepEqual([up.ready, up.changes], [true, { created: [], recreated: [], started: [], removed: [] }]);
  execFileSync(command, [...first, '-f', file, 'down', '--volumes'], { stdio: 'pipe' });
  assert.equal((await place.engine.volumes.list([`org.nectar-byon.node=${nodeId}`])).length, 16, 'no volume went');
  await place.json(['destroy', '--yes', ...at]);
});
