import assert from 'node:assert/strict';
import { test } from 'node:test';
import { converge } from '../../../../cli/provision/docker/converge.ts';
import { type DesiredState, desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import { removeNode } from '../../../../cli/provision/docker/remove-node.ts';
import { LABELS } from '../../../../cli/provision/docker/role-table.ts';
import { stopContainers } from '../../../../cli/provision/docker/stop-containers.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { type MemoryEngine, memoryEngine } from './memory-engine.ts';
import { exampleSpec } from './node-spec-example.ts';

const spec = exampleSpec();
const state = desiredState(spec);
const options = { volumes: 'all' as const, say: () => undefined, seccomp: (one: { seccomp: string }) => one.seccomp };
const images = Object.values(spec.images);
const FOREIGN = { labels: { [LABELS.node]: 'f'.repeat(32) } };

/** An engine on which another node and a stranger live too. */
function engineWithOthers(): MemoryEngine {
  const memory = memoryEngine(images);
  memory.volumes.set('nectar-ffffffff-keys', FOREIGN);
  memory.networks.set('bridge', { labels: {} });
  memory.containers.set('database', { id: 'db', body: { name: 'database' }, labels: {}, running: true, exitCode: 0 });
  return memory;
}

function assertConverged({ containers, volumes, networks }: MemoryEngine, wanted: DesiredState): void {
  for (const { name, labels } of wanted.containers) {
    const found = containers.get(name);
    assert.equal(found?.running, true, `${name} runs`);
    assert.equal(found?.labels[LABELS.spec], labels[LABELS.spec]);
  }
  assert.equal(containers.size, wanted.containers.length + 1);
  assert.deepEqual(
    [...volumes.keys()].sort(),
    [...wanted.volumes.map(({ name }) => name), 'nectar-ffffffff-keys'].sort(),
  );
  assert.deepEqual([...networks.keys()].sort(), [...wanted.networks.map(({ name }) => name), 'bridge'].sort());
  assert.equal(containers.get('database')?.id, 'db');
}

test('makes everything once, and nothing the second time', async () => {
  const memory = engineWithOthers();
  const first = await converge(memory.engine, state, options);
  assertConverged(memory, state);
  assert.equal(first.created.length, state.containers.length + state.volumes.length + state.networks.length);
  const before = memory.changes.length;
  assert.deepEqual(await converge(memory.engine, state, options), {
    created: [],
    recreated: [],
    started: [],
    removed: [],
  });
  assert.equal(memory.changes.length, before);
});

test('goes on after a kill at any step of the making', async () => {
  const whole = engineWithOthers();
  await converge(whole.engine, state, options);
  for (const when of ['before', 'after'] as const) {
    for (let step = 1; step <= whole.changes.length; step += 1) {
      const memory = engineWithOthers();
      memory.cut(step, when);
      await assert.rejects(converge(memory.engine, state, options), /killed/);
      memory.cut(Number.POSITIVE_INFINITY, when);
      await converge(memory.engine, state, options);
      assertConverged(memory, state);
    }
  }
});

test('goes on after a kill at any step of a change, and never removes a volume', async () => {
  const changed = desiredState(exampleSpec({ limits: { audit: { pids: 99 }, gateway: { cpus: 2 } } }));
  for (let step = 1; step <= 8; step += 1) {
    const memory = engineWithOthers();
    await converge(memory.engine, state, options);
    memory.cut(step, 'after');
    await assert.rejects(converge(memory.engine, changed, options), /killed/);
    memory.cut(Number.POSITIVE_INFINITY, 'after');
    await converge(memory.engine, changed, options);
    assertConverged(memory, changed);
    assert.ok(memory.changes.every((what) => !what.startsWith('remove volume')));
  }
});

test('makes anew only the container whose setting changed', async () => {
  const memory = engineWithOthers();
  await converge(memory.engine, state, options);
  const ids = new Map([...memory.containers].map(([name, { id }]) => [name, id]));
  const changed = desiredState(exampleSpec({ limits: { audit: { pids: 99 } } }));
  const changes = await converge(memory.engine, changed, options);
  assert.deepEqual(changes.recreated, ['nectar-01234567-audit']);
  const others = [...memory.containers].filter(([name, { id }]) => ids.get(name) !== id).map(([name]) => name);
  assert.deepEqual(others, ['nectar-01234567-audit']);
});

test('starts what was stopped, and does not make it anew', async () => {
  const memory = engineWithOthers();
  await converge(memory.engine, state, options);
  const stopped = await stopContainers(memory.engine, state, { timeoutMs: 1, say: () => undefined });
  assert.deepEqual(stopped, { wasRunning: true, killed: [] });
  assert.deepEqual(
    memory.changes.slice(-4),
    ['gateway', 'rollup', 'store', 'audit'].map((role) => `stop nectar-01234567-${role}`),
    'in reverse of the start',
  );
  const changes = await converge(memory.engine, state, options);
  assert.deepEqual([changes.started.length, changes.created.length, changes.recreated.length], [4, 0, 0]);
});

test('prepares once before the first container is made, and not when nothing is to be made', async () => {
  const memory = engineWithOthers();
  let prepared = 0;
  const prepare = async (): Promise<void> => {
    prepared += 1;
    assert.equal(memory.containers.size, 1, 'no container of ours yet');
  };
  await converge(memory.engine, state, { ...options, prepare });
  await converge(memory.engine, state, { ...options, prepare });
  assert.equal(prepared, 1);
});

test('changes nothing when a name is taken by somebody else', async () => {
  for (const kind of ['containers', 'volumes', 'networks'] as const) {
    for (const labels of [{}, FOREIGN.labels]) {
      const memory = memoryEngine(images);
      const name = state[kind].at(-1)?.name ?? '';
      const foreign = { id: 'x', body: { name }, labels, running: true, exitCode: 0 };
      (memory[kind] as Map<string, typeof foreign>).set(name, foreign);
      await assert.rejects(
        converge(memory.engine, state, options),
        (error) => isNectarError(error, 'CLI_ENGINE_NAME_TAKEN') && error.data.name === name,
      );
      assert.deepEqual(memory.changes, []);
    }
  }
});

test('changes nothing when an image is missing', async () => {
  const memory = memoryEngine(images.slice(1));
  await assert.rejects(converge(memory.engine, state, options), (error) => isNectarError(error, 'CLI_IMAGE_MISSING'));
  assert.deepEqual(memory.changes, []);
});

test('removes helpers that an interrupted run left', async () => {
  const memory = engineWithOthers();
  const labels = { [LABELS.node]: spec.nodeId, [LABELS.role]: 'helper' };
  memory.containers.set('nectar-01234567-helper-1', { id: 'h', body: {}, labels, running: true, exitCode: 0 });
  assert.deepEqual((await converge(memory.engine, state, options)).removed, ['nectar-01234567-helper-1']);
  assertConverged(memory, state);
});

test('destroys exactly what is labelled ours, keys first, also after a kill at any step', async () => {
  const removal = { nodeId: spec.nodeId, version: '1', storeImage: spec.images.store, say: () => undefined };
  for (let step = 0; step < 40; step += 1) {
    const memory = engineWithOthers();
    await converge(memory.engine, state, options);
    const from = memory.changes.length;
    if (step > 0) {
      memory.cut(step, 'after');
      await removeNode(memory.engine, removal).catch((error: Error) => assert.match(error.message, /killed/));
      memory.cut(Number.POSITIVE_INFINITY, 'after');
    }
    await removeNode(memory.engine, removal);
    assert.deepEqual([...memory.containers.keys()], ['database']);
    assert.deepEqual([...memory.volumes.keys()], ['nectar-ffffffff-keys']);
    assert.deepEqual([...memory.networks.keys()], ['bridge']);
    const done = memory.changes.slice(from);
    const shred = done.findIndex((what) => what.startsWith('start nectar-01234567-helper'));
    const first = done.findIndex((what) => what.startsWith('remove volume'));
    assert.ok(shred >= 0 && shred < first, 'the keys are overwritten before any volume goes');
  }
});
