import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createEngineApi } from '../../../cli/harden/engine-api.ts';
import { createBody } from '../../../cli/provision/docker/create-body.ts';
import { desiredState } from '../../../cli/provision/docker/desired-state.ts';
import { engineAddress } from '../../../cli/provision/docker/engine-address.ts';
import { readDockerNode } from '../../../cli/provision/docker/node-spec.ts';
import { CONTAINER_ROLES, KEY_FILE, LABELS, objectName } from '../../../cli/provision/docker/role-table.ts';
import { type Collector, collectFacts } from '../../../hardening/collectors/collector.ts';
import { createContainersCollector } from '../../../hardening/collectors/container/containers.ts';
import { seccompDigest } from '../../../hardening/collectors/container/seccomp.ts';
import { createEngineCollector } from '../../../hardening/collectors/engine/engine.ts';
import type { EngineApi, EngineNode } from '../../../hardening/collectors/engine-api.ts';
import { createImagesCollector } from '../../../hardening/collectors/image/images.ts';
import { createNetworksCollector } from '../../../hardening/collectors/networks.ts';
import { createContainerProcessesCollector } from '../../../hardening/collectors/process/processes.ts';
import { createVolumesCollector } from '../../../hardening/collectors/volumes.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { until } from '../../e2e/workplace.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

const LOCK = fileURLToPath(new URL('../../../dist/images/digests.lock.json', import.meta.url));

interface Lock {
  readonly version: string;
  readonly base: { readonly layers: readonly string[] };
  readonly roles: Readonly<Record<string, { readonly id: string }>>;
}

/** All collectors of the engine's side, as the program that installed the node would have them. */
function collectorsOf(api: EngineApi, home: string): Collector[] {
  const { target, spec } = readDockerNode(home);
  const lock = JSON.parse(readFileSync(LOCK, 'utf8')) as Lock;
  const node: EngineNode = {
    nodeId: target.nodeId,
    prefix: objectName(target.nodeId, ''),
    roles: CONTAINER_ROLES,
    labels: LABELS,
  };
  const state = desiredState(spec);
  const perRole = (of: (role: (typeof CONTAINER_ROLES)[number]) => string): Record<string, string> =>
    Object.fromEntries(CONTAINER_ROLES.map((role) => [role, of(role)]));
  const specs = Object.fromEntries(state.containers.map(({ role, labels }) => [role, labels[LABELS.spec] ?? '']));
  return [
    createContainersCollector({
      api,
      node,
      context: {
        seccomp: perRole((role) => seccompDigest(JSON.parse(spec.seccomp[role]) as object)),
        specs,
        bodies: Object.fromEntries(state.containers.map((container) => [container.role, createBody(container)])),
        imageIds: target.images,
        keyFileTarget: KEY_FILE,
      },
    }),
    createContainerProcessesCollector({ api, node, nodeBinary: '/nodejs/bin/node' }),
    createVolumesCollector({ api, node }),
    createNetworksCollector({ api, node }),
    createEngineCollector({ api, socketPath: DOCKER_SOCKET }),
    createImagesCollector({
      api,
      node,
      imageIds: target.images,
      context: {
        version: lock.version,
        now: Date.now,
        lock: { imageIds: perRole((role) => lock.roles[role]?.id ?? ''), baseLayers: lock.base.layers },
      },
    }),
  ];
}

function reader(set: FactSet): (kind: string, role: string, fact: string) => unknown {
  return (kind, role, fact) => {
    const subject = set.subjects.find(
      (candidate) => candidate.kind === kind && (role === '' || candidate.name.includes(role)),
    );
    const observation = subject?.facts[`${kind}.${fact}` as keyof typeof subject.facts];
    assert.ok(
      observation !== undefined && 'value' in observation,
      `${kind} ${role} ${fact}: ${JSON.stringify(observation)}`,
    );
    return observation.value;
  };
}

test('sees a node in containers as the engine and the kernel have it', {
  skip: skipWithoutDocker,
  timeout: 400_000,
}, async (t) => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  const api = createEngineApi(engineAddress(DOCKER_SOCKET, {}));
  after(async () => {
    await api.close();
    await place.close([home]);
  });
  loadImages(DOCKER_SOCKET);
  const { nodeId } = await place.init(home);
  const name = (role: string): string => objectName(nodeId, role);
  const collect = (): Promise<FactSet> =>
    collectFacts(collectorsOf(api, home), {
      tool: { name: 'nectar-byon', version: '0' },
      node: { id: nodeId, target: 'docker', network: 'devnet' },
      now: Date.now,
      signal: new AbortController().signal,
    });

  await t.test('collects everything, and knows why where it does not', async () => {
    const set = await collect();
    assert.deepEqual(
      set.collections.filter(({ outcome }) => outcome !== 'collected'),
      [],
    );
    const count = (kind: string): number => set.subjects.filter((subject) => subject.kind === kind).length;
    assert.deepEqual(['container', 'process', 'volume', 'network', 'engine', 'image'].map(count), [4, 4, 16, 2, 1, 4]);
    const unseen = set.subjects.flatMap(({ kind, name: subject, facts }) =>
      Object.entries(facts).flatMap(([fact, observation]) =>
        'error' in observation ? [`${kind} ${subject} ${fact}: ${observation.error}`] : [],
      ),
    );
    assert.deepEqual(unseen, []);
  });

  await t.test('finds the confinement that init gave it, in what was asked for and in the kernel', async () => {
    const value = reader(await collect());
    for (const [role, uid] of [
      ['gateway', 64001],
      ['store', 64002],
      ['audit', 64003],
      ['rollup', 64004],
    ] as const) {
      for (const [fact, wanted] of Object.entries({
        uid,
        readOnlyRoot: true,
        capabilitiesDropped: ['ALL'],
        noNewPrivileges: true,
        seccomp: 'nectar',
        hostCgroup: false,
        imagePinned: true,
        sensitiveHostMounts: [],
        engineSocketMounted: false,
        tmpfsUnsafe: [],
        swapBytes: 0,
        secretsInEnvironment: [],
        writtenPaths: [],
        labelled: true,
        specDrift: false,
        sshServer: false,
        running: true,
      })) {
        assert.deepEqual(value('container', name(role), fact), wanted, `${role} ${fact}`);
      }
      for (const [fact, wanted] of Object.entries({
        uids: [String(uid)],
        root: false,
        capabilitiesEffective: [],
        capabilitiesBounding: [],
        noNewPrivs: true,
        seccompMode: 2,
        rootReadOnly: true,
        swappedBytes: 0,
        traced: false,
        debugPort: false,
        secretsInEnvironment: [],
        secretsInArguments: false,
        executableWritable: false,
        deletedExecutable: false,
        children: [],
        nodeOptions: [],
      })) {
        assert.deepEqual(value('process', name(role), fact), wanted, `${role} ${fact}`);
      }
      assert.equal((value('process', name(role), 'hostNamespaces') as string[]).includes('pid'), false);
    }
    for (const role of ['store', 'audit']) {
      assert.deepEqual(value('container', name(role), 'networks'), []);
      assert.deepEqual(value('process', name(role), 'tcpListeners'), []);
      assert.deepEqual(value('process', name(role), 'networkInterfaces'), ['lo']);
    }
    assert.deepEqual(value('process', name('gateway'), 'tcpListeners'), ['0.0.0.0:8443']);
    assert.deepEqual(value('volume', name('keys'), 'mountedIn'), ['store']);
    assert.deepEqual(value('volume', name('keys'), 'foreignContainers'), []);
    assert.deepEqual(value('network', name('lan'), 'containers'), ['gateway']);
    assert.equal(value('network', name('lan'), 'betweenContainers'), false);
    for (const role of CONTAINER_ROLES) {
      const image = `nectar-byon-${role}`;
      for (const fact of ['shells', 'packageManagers', 'setuidFiles', 'secretFiles', 'worldWritableFiles'])
        assert.deepEqual(value('image', image, fact), [], `${image} ${fact}`);
      for (const fact of ['sbom', 'digestKnown', 'baseAssembled', 'versionMatches', 'labelled'])
        assert.equal(value('image', image, fact), true, `${image} ${fact}`);
    }
  });

  await t.test('sees a container that somebody made anew, weaker', async () => {
    const store = await place.engine.containers.find(name('store'));
    assert.ok(store);
    await place.engine.containers.remove(name('store'), { force: true });
    const { HostConfig, Config } = store;
    await place.engine.containers.create({
      ...Config,
      name: name('store'),
      Env: [...Config.Env, 'DB_PASSWORD=hunter2!', 'NODE_OPTIONS=--insecure-http-parser'],
      HostConfig: {
        ...HostConfig,
        SecurityOpt: ['seccomp=unconfined'],
        CapDrop: [],
        ReadonlyRootfs: false,
        PidMode: 'host',
      },
    });
    await place.engine.containers.start(name('store'));
    await until('the store again', async () =>
      (await place.engine.containers.find(name('store')))?.State.Running === true ? true : undefined,
    );
    const value = reader(await collect());
    assert.equal(value('container', name('store'), 'seccomp'), 'unconfined');
    assert.deepEqual(value('container', name('store'), 'secretsInEnvironment'), ['DB_PASSWORD']);
    assert.equal(value('process', name('store'), 'seccompMode'), 0);
    assert.equal(value('process', name('store'), 'noNewPrivs'), false);
    assert.equal(value('process', name('store'), 'rootReadOnly'), false);
    assert.deepEqual(value('process', name('store'), 'secretsInEnvironment'), ['DB_PASSWORD']);
    assert.deepEqual(value('process', name('store'), 'nodeOptions'), ['--insecure-http-parser']);
    assert.ok((value('process', name('store'), 'hostNamespaces') as string[]).includes('pid'));
    assert.ok((value('process', name('store'), 'capabilitiesBounding') as string[]).includes('NET_RAW'));
  });

  await t.test('sees nothing running where the node is down, and says so', async () => {
    await place.json(['down', ...at]);
    const set = await collect();
    assert.deepEqual(
      set.collections.filter(({ outcome }) => outcome !== 'collected'),
      [],
    );
    assert.deepEqual(
      set.subjects.filter(({ kind }) => kind === 'process'),
      [],
    );
    const container = set.subjects.find(({ kind }) => kind === 'container');
    assert.deepEqual(container?.facts['container.health'], { absent: 'it does not run' });
    assert.deepEqual(container.facts['container.sshServer'], { absent: 'it does not run' });
    await place.json(['destroy', '--yes', ...at]);
  });
});
