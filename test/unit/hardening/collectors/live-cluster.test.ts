import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectFacts } from '../../../../hardening/collectors/collector.ts';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import { createClusterCollector } from '../../../../hardening/collectors/kubernetes/cluster.ts';
import type { ClusterApi } from '../../../../hardening/collectors/kubernetes/cluster-api.ts';
import { createLiveWorkloadCollector } from '../../../../hardening/collectors/kubernetes/live-workload.ts';
import { kubeObjectsOf } from '../../../../hardening/collectors/kubernetes/manifests.ts';
import { evaluate } from '../../../../hardening/evaluate.ts';
import type { FactSet, Observation } from '../../../../hardening/fact-set.ts';
import type { Finding } from '../../../../hardening/finding.ts';
import { getProfile, loadBenchmark } from '../../../../hardening/load-benchmark.ts';
import { RELEASE, ROLES, type Tree } from '../../../cluster/hand-made-release.ts';
import { WEAKENINGS } from '../../../cluster/weakenings.ts';
import { goodWorld, type World } from '../../../cluster/world.ts';

const NAMESPACE = 'nectar';
const NOW = Date.parse('2026-11-30T03:00:00Z');
const signal = new AbortController().signal;
const benchmark = loadBenchmark();
const profile = getProfile(benchmark, 'cluster');
const checks = benchmark.checks.filter(({ id }) => profile.checks.includes(id));
const crossings = {
  nodeBinary: '/nodejs/bin/node',
  ports: { gateway: 8443, store: 7402, audit: 7403, rollup: 7404 },
  allowed: [
    ['gateway', 'store'],
    ['store', 'audit'],
  ],
} as const;

/** Roles that every cluster has. */
const BUILT_IN: Tree[] = [
  {
    kind: 'ClusterRole',
    metadata: { name: 'edit' },
    rules: [{ apiGroups: [''], resources: ['secrets', 'pods/exec'], verbs: ['get', 'list', 'create'] }],
  },
  {
    kind: 'ClusterRole',
    metadata: { name: 'cluster-admin' },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  },
  {
    kind: 'ClusterRoleBinding',
    metadata: { name: 'cluster-admin', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
    subjects: [{ kind: 'Group', name: 'system:masters' }],
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
  },
  {
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:public-info-viewer', labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
    subjects: [{ kind: 'Group', name: 'system:unauthenticated' }],
    roleRef: { kind: 'ClusterRole', name: 'system:public-info-viewer' },
  },
];

type Answers = { -readonly [K in keyof ClusterApi]?: ClusterApi[K] };

const kindOf = (resource: string): string => {
  const kinds = ['NetworkPolicy', 'PodDisruptionBudget', 'Deployment', 'StatefulSet', 'Service', 'ConfigMap', 'Pod'];
  const more = ['ServiceAccount', 'PersistentVolumeClaim', 'PersistentVolume', 'Role', 'RoleBinding', 'ClusterRole'];
  return (
    [...kinds, ...more, 'ClusterRoleBinding'].find((kind) =>
      [`${kind.toLowerCase()}s`, kind.toLowerCase().replace(/y$/, 'ies')].includes(resource),
    ) ?? resource
  );
};

/** An API server that admits everything: what refuses is tested on a real one. */
function apiOf(world: World, answers: Answers = {}): ClusterApi {
  const place = (object: Tree): Tree => ({
    ...object,
    metadata: { namespace: world.name, ...(object.metadata as Tree) },
  });
  const run = (pod: Tree, index: number): Tree => ({
    ...pod,
    spec: { ...(pod.spec as Tree), nodeName: 'worker-1' },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${index + 1}`,
      containerStatuses: [{ name: 'x', state: { running: {} } }],
    },
  });
  const pods = ROLES.map((role, index) => place(run(world.pods[role], index)));
  const own = [...pods, ...world.objects.map(place)];
  const all = [...own, ...world.around, ...BUILT_IN];
  const anonymous = all.some(
    ({ kind, subjects }) =>
      kind === 'RoleBinding' && (subjects as Tree[]).some(({ name }) => name === 'system:anonymous'),
  );
  const labels = (world.namespace.metadata as Tree).labels as Tree;
  return {
    async list(resource, where) {
      const found = (where === 'cluster' ? all : own).filter(({ kind }) => kind === kindOf(resource));
      return found.flatMap((object) => kubeObjectsOf(openDocument(object)));
    },
    async get(path) {
      if (path === `/api/v1/namespaces/${world.name}`) return world.namespace;
      if (path === '/version') return { gitVersion: 'v1.35.4', buildDate: '2026-10-01T00:00:00Z' };
      if (path === '/api/v1/nodes/worker-1/proxy/configz') return { kubeletconfig: GOOD_KUBELET };
      throw new Error(`not found: ${path}`);
    },
    refusalOf: async () =>
      Object.keys(labels).length > 0
        ? 'pods "probe" is forbidden: violates PodSecurity "restricted:latest"'
        : undefined,
    execute: async ({ container }) => JSON.stringify(REACHED[container]),
    anonymousStatus: async () => (anonymous ? 200 : 403),
    ...answers,
  };
}

const GOOD_KUBELET = {
  authentication: { anonymous: { enabled: false } },
  authorization: { mode: 'Webhook' },
};

/** The other roles in the order of ROLES, then the API server. */
const REACHED: Readonly<Record<string, readonly boolean[]>> = {
  gateway: [true, false, false, false],
  store: [false, true, false, false],
  audit: [false, false, false, false],
  rollup: [false, false, false, false],
};

async function look(world: World, answers: Answers = {}, probe = true): Promise<FactSet> {
  const api = apiOf(world, answers);
  const release = { namespace: world.name, name: RELEASE };
  return collectFacts(
    [
      createLiveWorkloadCollector(release, { api }),
      createClusterCollector(release, { crossings, probe, now: () => NOW }, { api }),
    ],
    {
      tool: { name: 'test', version: '0.1.0' },
      node: { id: 'x', target: 'kubernetes', network: '' },
      now: () => NOW,
      signal,
    },
  );
}

const failed = (findings: readonly Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === 'fail').map(({ check }) => check);
const unseen = (findings: readonly Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === 'error').map(({ check }) => check);

function clusterFact(facts: FactSet, id: string): Observation | undefined {
  const subject = facts.subjects.find(({ kind }) => kind === 'cluster');
  return (subject?.facts as Record<string, Observation> | undefined)?.[id];
}

test('finds nothing in a release as it should be, but the priority class that a site chooses', async () => {
  const findings = evaluate(checks, await look(goodWorld(NAMESPACE)));
  assert.deepEqual(failed(findings), ['BYON-K8S-037']);
  assert.deepEqual(unseen(findings), []);
});

for (const { name, check, weaken } of WEAKENINGS) {
  test(`sees a weakening: ${name}`, async () => {
    const world = goodWorld(NAMESPACE);
    weaken(world);
    const findings = evaluate(checks, await look(world));
    assert.ok(failed(findings).includes(check), `${check} is ${findings.find((one) => one.check === check)?.verdict}`);
  });
}

test('has at least 40 weakenings, each with a name of its own', () => {
  assert.ok(WEAKENINGS.length >= 40);
  assert.equal(new Set(WEAKENINGS.map(({ name }) => name)).size, WEAKENINGS.length);
});

test('says what was reached although no policy lets it', async () => {
  const execute: ClusterApi['execute'] = async ({ container }) =>
    JSON.stringify(container === 'audit' ? [false, false, true, true] : REACHED[container]);
  const facts = await look(goodWorld(NAMESPACE), { execute });
  assert.deepEqual(clusterFact(facts, 'cluster.reachedDespitePolicy'), {
    value: ['audit to rollup', 'audit to the API server'],
  });
});

test('takes refusals for nothing where the crossings are refused as well', async () => {
  const facts = await look(goodWorld(NAMESPACE), { execute: async () => '[false,false,false,false]' });
  assert.match(JSON.stringify(clusterFact(facts, 'cluster.reachedDespitePolicy')), /"error":"no crossing/);
});

test('does not call policies enforced where a role could not be tried', async () => {
  const world = goodWorld(NAMESPACE);
  const api = apiOf(world);
  const list: ClusterApi['list'] = async (resource, where, aborted) =>
    (await api.list(resource, where, aborted)).filter(({ name }) => name !== `${RELEASE}-rollup-0`);
  const execute: ClusterApi['execute'] = async ({ container }) => JSON.stringify([container === 'gateway']);
  const facts = await look(world, { list, execute });
  assert.match(JSON.stringify(clusterFact(facts, 'cluster.reachedDespitePolicy')), /no pod of rollup runs/);
});

test('runs nothing in a pod without probes, and says so', async () => {
  const execute = async (): Promise<string> => assert.fail('it ran a program in a pod');
  const facts = await look(goodWorld(NAMESPACE), { execute }, false);
  assert.deepEqual(clusterFact(facts, 'cluster.reachedDespitePolicy'), { error: 'not probed (--no-probe)' });
});

test('does not see what the API server does not let it read, and says why', async () => {
  const forbidden = (): Promise<never> => Promise.reject(new Error('clusterroles is forbidden: User "clinic"'));
  const api = apiOf(goodWorld(NAMESPACE));
  const list: ClusterApi['list'] = (resource, where, aborted) =>
    resource === 'clusterroles' ? forbidden() : api.list(resource, where, aborted);
  const findings = evaluate(checks, await look(goodWorld(NAMESPACE), { list }));
  const errors = unseen(findings);
  for (const check of ['BYON-K8S-026', 'BYON-K8S-028', 'BYON-K8S-060', 'BYON-K8S-061', 'BYON-K8S-070'])
    assert.ok(errors.includes(check), check);
  assert.match(JSON.stringify(findings.find(({ check }) => check === 'BYON-K8S-060')?.evidence), /is forbidden/);
});

test('takes a refusal for want of rights for no answer of the admission', async () => {
  const refusalOf = async (): Promise<string> =>
    'pods is forbidden: User "clinic" cannot create resource "pods" in API group ""';
  const facts = await look(goodWorld(NAMESPACE), { refusalOf });
  assert.match(JSON.stringify(clusterFact(facts, 'cluster.privilegedAdmitted')), /cannot create resource/);
});

test('judges the kubelets of the machines that run the pods', async () => {
  const kubeletconfig = {
    authentication: { anonymous: { enabled: true } },
    authorization: { mode: 'AlwaysAllow' },
    readOnlyPort: 10255,
  };
  const api = apiOf(goodWorld(NAMESPACE));
  const get: ClusterApi['get'] = async (path, aborted) =>
    path.endsWith('/configz') ? { kubeletconfig } : api.get(path, aborted);
  const findings = evaluate(checks, await look(goodWorld(NAMESPACE), { get }));
  for (const check of ['BYON-K8S-080', 'BYON-K8S-081', 'BYON-K8S-082']) assert.ok(failed(findings).includes(check));
});

test('judges the flags of an API server that runs as a pod', async () => {
  const world = goodWorld(NAMESPACE);
  const flags = ['kube-apiserver', '--authorization-mode=Node,AlwaysAllow', '--enable-admission-plugins=PodSecurity'];
  world.around.push({
    kind: 'Pod',
    metadata: { name: 'kube-apiserver-x', namespace: 'kube-system', labels: { component: 'kube-apiserver' } },
    spec: { containers: [{ name: 'kube-apiserver', command: flags }] },
  });
  const findings = evaluate(checks, await look(world));
  for (const check of ['BYON-K8S-083', 'BYON-K8S-084', 'BYON-K8S-085', 'BYON-K8S-086'])
    assert.ok(failed(findings).includes(check), check);
});

test('finds the volumes of the node by the paths of its persistent volumes too', async () => {
  const world = goodWorld(NAMESPACE);
  world.around.push(
    {
      kind: 'PersistentVolume',
      metadata: { name: 'pv-1' },
      spec: { claimRef: { namespace: NAMESPACE, name: 'data' }, local: { path: '/mnt/disks/1' } },
    },
    {
      kind: 'Pod',
      metadata: { name: 'copier', namespace: 'elsewhere' },
      spec: { nodeName: 'worker-1', containers: [], volumes: [{ name: 'd', hostPath: { path: '/mnt/disks' } }] },
    },
    {
      kind: 'Pod',
      metadata: { name: 'far', namespace: 'elsewhere' },
      spec: { nodeName: 'worker-2', containers: [], volumes: [{ name: 'd', hostPath: { path: '/mnt/disks' } }] },
    },
  );
  const facts = await look(world);
  assert.deepEqual(clusterFact(facts, 'cluster.nodePathNeighbours'), { value: ['elsewhere/copier: /mnt/disks'] });
});

test('refuses to call a namespace without the release well', async () => {
  const world = goodWorld(NAMESPACE);
  for (const role of ROLES) (world.pods[role].metadata as Tree).labels = {};
  const findings = evaluate(checks, await look(world));
  assert.match(
    findings.find(({ check }) => check === 'BYON-CTR-005')?.reason ?? '',
    /has no pod of the release clinic/,
  );
});
