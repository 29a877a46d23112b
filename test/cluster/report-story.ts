import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClusterApi } from '../../cli/harden/cluster-api.ts';
import { createKubectl, type Kubectl } from '../../cli/provision/kubernetes/kubectl.ts';
import { renderRbac } from '../../cli/provision/kubernetes/rbac.ts';
import { ROLE_CALLS, ROLE_PORTS } from '../../cli/provision/kubernetes/release-labels.ts';
import { type RunTool, runTool } from '../../cli/provision/kubernetes/run-tool.ts';
import { collectFacts } from '../../hardening/collectors/collector.ts';
import { createClusterCollector } from '../../hardening/collectors/kubernetes/cluster.ts';
import { createLiveWorkloadCollector } from '../../hardening/collectors/kubernetes/live-workload.ts';
import { evaluate } from '../../hardening/evaluate.ts';
import type { Finding } from '../../hardening/finding.ts';
import { getProfile, loadBenchmark } from '../../hardening/load-benchmark.ts';
import { until } from '../e2e/workplace.ts';
import { kubeconfig, kubectlArgv, skip } from './cluster.ts';
import { RELEASE, ROLES, type Tree } from './hand-made-release.ts';
import { WEAKENINGS } from './weakenings.ts';
import { goodWorld, type World } from './world.ts';

const PREFIX = 'report';
const BATCHES = [1, 2, 3] as const;
const signal = new AbortController().signal;
const benchmark = loadBenchmark();
const profile = getProfile(benchmark, 'cluster');
const checks = benchmark.checks.filter(({ id }) => profile.checks.includes(id));
/** Needs pods that run, machines and a build with a date: the node's own suite looks at those. */
const UNSEEN_WITHOUT_PODS = ['BYON-K8S-078', 'BYON-K8S-080', 'BYON-K8S-081', 'BYON-K8S-082', 'BYON-K8S-087'];
const CHOICE_OF_SITE = 'BYON-K8S-037';
const PATIENCE_MS = 300_000;

/** The cluster's own kubectl, in place of one in PATH. */
const ownKubectl: RunTool = ([, ...args], options) => runTool([...kubectlArgv, ...args], options);

/** Everything of a world, as the API server admits it; no pod of it is ever started: a machine of that name does not exist. */
async function make(kubectl: Kubectl, world: World): Promise<void> {
  const nowhere = (pod: Tree): Tree => ({
    ...pod,
    spec: { ...(pod.spec as Tree), nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } },
  });
  const inNamespace = (object: Tree): Tree => ({
    ...object,
    metadata: { ...(object.metadata as Tree), namespace: world.name },
  });
  const objects = world.objects.map((object) => (object.kind === 'Pod' ? nowhere(object) : object));
  const pods = ROLES.map((role) => nowhere(world.pods[role]));
  await kubectl.run(['create', '-f', '-'], { input: JSON.stringify(world.namespace) });
  // Without it no pod is admitted, and a controller makes it some moments later.
  await until('the service account', () => kubectl.run(['get', 'serviceaccount/default']), PATIENCE_MS);
  const items = [...[...objects, ...pods].map(inNamespace), ...world.around];
  await kubectl.run(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
}

/** Before a test what an earlier run left must be gone. */
async function remove(kubectl: Kubectl, world: World, wait = false): Promise<void> {
  await kubectl.run(['delete', 'namespace', world.name, '--ignore-not-found', `--wait=${wait}`]);
  const names = world.around.map(({ kind, metadata }) => `${kind}/${(metadata as Tree).name}`.toLowerCase());
  if (names.length > 0) await kubectl.run(['delete', ...names, '--ignore-not-found']);
}

async function judge(kubectl: Kubectl): Promise<Finding[]> {
  const api = createClusterApi(kubectl);
  const release = { namespace: kubectl.place.namespace, name: RELEASE };
  const crossings = { nodeBinary: '/nodejs/bin/node', ports: ROLE_PORTS, allowed: ROLE_CALLS };
  const facts = await collectFacts(
    [
      createLiveWorkloadCollector(release, { api }),
      createClusterCollector(release, { crossings, probe: false, now: Date.now }, { api }),
    ],
    {
      ...{ tool: { name: 'test', version: '0.1.0' }, now: Date.now, signal },
      node: { id: 'test', target: 'kubernetes', network: '' },
    },
  );
  return evaluate(checks, facts);
}

/** The report on a real API server: what it has admitted, whoever could have refused it. */
export function tellReport(): void {
  const connect = (world: World): Kubectl =>
    createKubectl({ kubeconfig, namespace: world.name }, { env: process.env, signal, run: ownKubectl });

  test('a release as it should be has nothing that fails', { skip }, async () => {
    const world = goodWorld(`${PREFIX}-good`);
    const kubectl = connect(world);
    await remove(kubectl, world, true);
    await make(kubectl, world);
    try {
      const findings = await judge(kubectl);
      const failed = findings.filter(({ verdict }) => verdict === 'fail').map(({ check }) => check);
      assert.deepEqual(failed, [CHOICE_OF_SITE]);
      const unseen = findings.filter(({ verdict }) => verdict === 'error').map(({ check }) => check);
      assert.deepEqual(
        unseen.filter((check) => !UNSEEN_WITHOUT_PODS.includes(check)),
        [],
      );
    } finally {
      await remove(kubectl, world);
    }
  });

  for (const batch of BATCHES) {
    const weakenings = WEAKENINGS.filter((one) => one.batch === batch);
    test(`sees ${weakenings.length} weakenings that the API server admitted (${batch})`, { skip }, async () => {
      const world = goodWorld(`${PREFIX}-weak-${batch}`);
      const kubectl = connect(world);
      // Otherwise the namespace would refuse most of them.
      (world.namespace.metadata as Tree).labels = {};
      for (const { weaken } of weakenings) weaken(world);
      await remove(kubectl, world, true);
      await make(kubectl, world);
      try {
        const findings = new Map((await judge(kubectl)).map((finding) => [finding.check, finding.verdict]));
        const overlooked = weakenings.filter(({ check }) => findings.get(check) !== 'fail');
        assert.deepEqual(
          overlooked.map(({ name, check }) => `${name}: ${check} is ${findings.get(check)}`),
          [],
        );
      } finally {
        await remove(kubectl, world);
      }
    });
  }

  test('the rights that are printed are enough, and no more than they say', { skip }, async () => {
    const world = goodWorld(`${PREFIX}-rights`);
    const kubectl = connect(world);
    await remove(kubectl, world, true);
    await make(kubectl, world);
    const name = { namespace: world.name, release: RELEASE };
    await kubectl.run(['apply', '-f', '-'], { input: renderRbac(name) });
    const as = (role: string): string[] => ['--as=somebody', `--as-group=${RELEASE}-${role}s`];
    const can = async (role: string, ...what: string[]): Promise<boolean> =>
      (await kubectl.run([...as(role), 'auth', 'can-i', ...what]).catch(() => 'no')).trim() === 'yes';
    try {
      // The API server learns of new rights some moments after they are written; the auditor's are the last.
      const learned: readonly [role: string, what: string][] = [
        ['operator', 'get pods'],
        ['installer', 'create secrets'],
        ['auditor', 'list clusterroles --all-namespaces'],
        ['auditor', 'create pods --subresource=exec'],
      ];
      for (const [role, what] of learned)
        await until(`${role}: ${what}`, async () => (await can(role, ...what.split(' '))) || undefined, PATIENCE_MS);
      // Each as the commands ask it.
      for (const what of ['pods', 'deployments,statefulsets'])
        await kubectl.run([...as('operator'), 'get', what, '-o', 'name']);
      assert.ok(await can('operator', 'create', 'pods', '--subresource=portforward'));
      assert.ok(await can('operator', 'patch', 'statefulsets.apps', '--subresource=scale'));
      for (const refused of [
        'get secrets',
        'create pods --subresource=exec',
        'create pods',
        'delete persistentvolumeclaims',
      ])
        assert.equal(await can('operator', ...refused.split(' ')), false, refused);
      for (const resource of ['secrets', 'statefulsets.apps', 'networkpolicies.networking.k8s.io'])
        assert.ok(await can('installer', 'create', resource), resource);
      assert.equal(await can('installer', 'create', 'rolebindings'), false);
      assert.equal(await can('auditor', 'get', 'secrets'), false);
      for (const resource of ['pods', 'persistentvolumes', 'clusterroles', 'clusterrolebindings'])
        await kubectl.run([...as('auditor'), 'get', resource, '--all-namespaces', '-o', 'name']);
      assert.ok(await can('auditor', 'create', 'pods', '--subresource=exec'));
    } finally {
      await remove(kubectl, world);
      const own = `${world.name}-${RELEASE}-auditor`;
      await kubectl.run(['delete', `clusterrole/${own}`, `clusterrolebinding/${own}`, '--ignore-not-found']);
    }
  });
}
