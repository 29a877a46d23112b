import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { markVolumes } from '../../../../appliance/volume-marks.ts';
import { adoptNode } from '../../../../cli/life/adopt-node.ts';
import { overLostStore } from '../../../../cli/life/over-lost-store.ts';
import { converge } from '../../../../cli/provision/docker/converge.ts';
import { desiredState, type NodeSpec } from '../../../../cli/provision/docker/desired-state.ts';
import { readDockerNode } from '../../../../cli/provision/docker/node-spec.ts';
import { LABELS } from '../../../../cli/provision/docker/role-table.ts';
import { writeTarget } from '../../../../cli/provision/docker/target-file.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { type MemoryEngine, memoryEngine } from '../docker/memory-engine.ts';
import { exampleSpec } from '../docker/node-spec-example.ts';
import { makeHome } from './stored-home.ts';

const KEY_FILE = '/vault/root.key';
let folder = '';
let home = '';
let spec: NodeSpec;
let memory: MemoryEngine;

/** A home whose node runs on the engine, with everything that its volumes hold. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nectar-adopt-'));
  home = await makeHome(folder, 'home');
  await markVolumes(home);
  const { nodeId } = JSON.parse(readFileSync(join(home, 'identity', 'public.json'), 'utf8'));
  const config = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'));
  const gateway = { ...config.gateway, host: '192.0.2.7', port: 8443, metricsHost: '127.0.0.1', metricsPort: 9900 };
  const p2p = { ...config.p2p, listenHost: '0.0.0.0', listenPort: 4640 };
  writeFileSync(join(home, 'config.json'), JSON.stringify({ ...config, gateway, p2p, keys: { keyFile: KEY_FILE } }));
  const { images } = exampleSpec();
  const about = { engine: 'memory', engineKind: 'docker', nodeId, programVersion: '1.2.3', images } as const;
  await writeTarget(home, { version: 1, target: 'docker', state: 'ready', ...about });
  const node = readDockerNode(home);
  spec = node.spec;
  memory = memoryEngine(Object.values(spec.images));
  const options = { say: () => undefined, seccomp: (one: { seccomp: string }) => one.seccomp };
  await converge(memory.engine, desiredState(spec), { ...options, volumes: 'all' });
  const file = (path: string, bytes: Uint8Array): void => void memory.files.set(`/nectar/${path}`, bytes);
  file('config/config.json', node.shared.config);
  file('config/network.json', node.shared.network);
  file('config/public.json', node.shared.publicIdentity);
  file('config/volumes.json', node.shared.volumeMarks ?? Buffer.from(''));
  file('gateway/tls/ca.crt', readFileSync(join(home, 'tls', 'ca.crt')));
  file('audit/checkpoint', Buffer.from('newest'));
  file('audit/bodies/000', Buffer.from('leaves'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const adopt = (node?: string) =>
  adoptNode({
    ...{ home: join(folder, 'again'), engine: memory.engine, version: '9.9.9', node, keyFile: undefined },
    ports: { gateway: 1, p2p: 2 },
  });
const lose = (volume: string): void => {
  for (const name of memory.containers.keys()) if (name.endsWith(`-${volume}`)) memory.containers.delete(name);
  for (const name of memory.volumes.keys()) if (name.endsWith(`-${volume}`)) memory.volumes.delete(name);
};

test('a lost home is made anew: the next up finds every container as it should be', async () => {
  const { nodeId, keyFile } = await adopt();
  assert.deepEqual([nodeId, keyFile], [spec.nodeId, KEY_FILE]);
  const again = readDockerNode(join(folder, 'again'));
  assert.deepEqual(desiredState(again.spec), desiredState(spec));
  assert.deepEqual([again.target.state, again.target.programVersion], ['ready', '1.2.3']);
  for (const path of ['volumes.json', 'tls/ca.crt', 'network.json', 'identity/public.json'])
    assert.deepEqual(readFileSync(join(folder, 'again', path)), readFileSync(join(home, path)), path);
  assert.ok(memory.changes.every((what) => !/^(remove volume|stop|remove network)/.test(what)));
});

test('of several nodes one is named, a home that is there is not covered, a lost volume is said', async () => {
  memory.volumes.set('nectar-ffffffff-keys', { labels: { [LABELS.node]: 'f'.repeat(32) } });
  await assert.rejects(
    adopt(),
    (error) => isNectarError(error, 'ADOPT_NODE_AMBIGUOUS') && error.data.nodes.length === 2,
  );
  await assert.rejects(adopt('0bad'), (error) => isNectarError(error, 'ADOPT_NODE_ABSENT'));
  for (const name of memory.volumes.keys()) if (name.endsWith('-audit')) memory.volumes.delete(name);
  await assert.rejects(adopt(spec.nodeId.slice(0, 6)), (error) => isNectarError(error, 'VOLUME_MISSING'));
  const left = readdirSync(folder).filter((name) => name.startsWith('again'));
  assert.deepEqual(left, [], 'nothing is left of an attempt');
  mkdirSync(join(folder, 'again', 'full'), { recursive: true });
  await assert.rejects(adopt(spec.nodeId), (error) => isNectarError(error, 'CLI_HOME_EXISTS'));
});

test('a restore takes the place of a node whose records are lost, and keeps its log', async () => {
  lose('store');
  const aside = join(folder, 'aside');
  await overLostStore({ home, engine: memory.engine, aside }, async ({ replace }) => {
    assert.ok(!existsSync(home));
    assert.equal(readFileSync(join(aside, 'audit', 'checkpoint'), 'utf8'), 'newest');
    assert.equal(readFileSync(join(aside, 'audit', 'bodies', '000'), 'utf8'), 'leaves');
    assert.ok(memory.volumes.size > 0, 'nothing goes before the backup is verified');
    await replace();
    assert.deepEqual([memory.containers.size, memory.volumes.size, memory.networks.size], [0, 0, 0]);
  });
  assert.ok(existsSync(join(aside, 'target.json')));
});

test('a restore that fails before it replaced anything puts the home back', async () => {
  lose('store');
  const left = memory.volumes.size;
  const failing = overLostStore({ home, engine: memory.engine, aside: join(folder, 'aside') }, async () => {
    throw new Error('not a backup');
  });
  await assert.rejects(failing, /not a backup/);
  assert.ok(existsSync(join(home, 'target.json')));
  assert.equal(memory.volumes.size, left);
});

test('a store volume that is there is never made way for', async () => {
  const mark = readFileSync(join(home, 'store', 'volume.json'));
  memory.files.set('/nectar/store/volume.json', mark);
  const over = (work = async () => undefined) =>
    overLostStore({ home, engine: memory.engine, aside: join(folder, 'aside') }, work);
  await assert.rejects(over(), (error) => isNectarError(error, 'CLI_USAGE'));
  assert.ok(existsSync(home));
  memory.files.delete('/nectar/store/volume.json');
  await over();
  assert.ok(!existsSync(home), 'one that is empty is lost as well');
});
