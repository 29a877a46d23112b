import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { Workplace } from '../e2e/workplace.ts';
import { conform, helm, kubectl, restrictedNamespace, root, skip } from './cluster.ts';

const CHART = 'charts/nectar-byon';
const NAMESPACE = 'nectar-rendered';
const DESCRIPTOR = ['--set', 'network.descriptor=\\{\\}'];

interface Profile {
  readonly values: string;
  readonly args: readonly string[];
}

/** Each profile of helm/. */
const PROFILES: Readonly<Record<string, Profile>> = {
  clinic: { values: 'helm/clinic-k3s.yaml', args: DESCRIPTOR },
  hospital: { values: 'helm/hospital.yaml', args: DESCRIPTOR },
  openshift: { values: 'helm/openshift.yaml', args: DESCRIPTOR },
  'air-gapped': { values: 'helm/air-gapped.yaml', args: DESCRIPTOR },
  gitops: { values: 'helm/gitops/values.yaml', args: [] },
};

/** The oldest that the chart is for, that of the cluster, and the newest that has schemas. */
const VERSIONS = ['1.30.0', '1.35.0', '1.37.0'] as const;
/** Of operators: no version of Kubernetes has a schema of them. */
const FOREIGN = ['Certificate', 'Issuer', 'ServiceMonitor', 'PrometheusRule'] as const;
const WORKLOADS = [
  'Deployment nectar-gateway',
  ...['audit', 'rollup', 'store'].map((role) => `StatefulSet nectar-${role}`),
];

interface Conformed {
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly status: string }[];
  readonly summary: { readonly valid: number };
}

/** Objects that a version of Kubernetes does not take as they are, or has no schema for. */
async function misfits(text: string, version: string): Promise<string[]> {
  const { stdout, stderr } = await conform(text, version, FOREIGN);
  const { resources, summary } = JSON.parse(stdout) as Conformed;
  assert.ok(summary.valid > 10, stderr);
  return resources.map(({ kind, name }) => `${kind} ${name}`).sort();
}

interface Rendered {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string };
}

async function render({ values, args }: Profile, ...more: string[]): Promise<string> {
  return (await helm(['template', 'nectar', CHART, '-n', NAMESPACE, '-f', values, ...args, ...more])).stdout;
}

function objectsOf(text: string): Rendered[] {
  return parseAllDocuments(text).flatMap((document) =>
    document.contents === null ? [] : [document.toJS() as Rendered],
  );
}

/** What the hardening report says of a rendering: the ids of the checks that fail. */
async function failuresOf(text: string): Promise<string[]> {
  const work = new Workplace();
  try {
    const { stdout, stderr } = await work.run(['harden', '--manifests', '-', '--no-record', '--json'], { input: text });
    const { results } = JSON.parse(stdout) as { results: readonly { check: string; verdict: string }[] };
    assert.ok(results.length > 50, stderr);
    return results.filter(({ verdict }) => verdict === 'fail' || verdict === 'error').map(({ check }) => check);
  } finally {
    work.remove();
  }
}

/** What a profile leaves to the site, and why. */
const LEFT: Readonly<Record<string, string>> = {
  'BYON-CTR-088': 'digests are of a release: image.digests',
  'BYON-K8S-037': 'the name of a priority class is of the site',
};
const LEFT_BY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  clinic: { 'BYON-K8S-032': 'k3s publishes the API and the peer port by its own load balancer' },
  hospital: {
    'BYON-K8S-032': 'peers come by a load balancer',
    'BYON-K8S-038': 'objects of cert-manager and of the Prometheus operator',
  },
  openshift: {
    'BYON-CTR-001': 'OpenShift assigns the user at admission; runAsNonRoot is set',
    'BYON-CTR-002': 'the same',
    'BYON-CTR-003': 'the group is root there, which owns nothing that matters in the images',
  },
  gitops: { 'BYON-K8S-038': 'objects of cert-manager' },
};

/** The renderings, by Helm, by the hardening report, and by an API server. */
export function tellRenderings(): void {
  for (const [name, profile] of Object.entries(PROFILES)) {
    test(`${name}: lints, and is taken by an API server in a namespace that enforces restricted`, {
      skip,
    }, async () => {
      await helm(['lint', '--strict', '--quiet', CHART, '-f', profile.values, ...profile.args]);
      const objects = objectsOf(await render(profile));
      const known = objects.filter(({ apiVersion }) => !/monitoring\.coreos/.test(apiVersion));
      assert.ok(known.length > 15);
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: known });
      const applied = await kubectl(['-n', NAMESPACE, 'apply', '--dry-run=server', '--validate=strict', '-f', '-'], {
        input,
      });
      // PodSecurity warns of the templates of workloads, and refuses their pods only later.
      assert.equal(applied.stderr, '');
    });

    test(`${name}: is what Kubernetes ${VERSIONS.join(', ')} take, by kubeconform`, { skip }, async () => {
      const text = await render(profile);
      for (const version of VERSIONS) assert.deepEqual(await misfits(text, version), [], version);
    });

    test(`${name}: fails no check of the hardening report but what is left to the site`, { skip }, async () => {
      const failures = await failuresOf(await render(profile));
      const left = { ...LEFT, ...LEFT_BY[name] };
      assert.deepEqual(failures.sort(), Object.keys(left).sort());
    });
  }

  test('is for no version that does not know each of its fields, and kubeconform sees one that it does not', {
    skip,
  }, async () => {
    const { clinic } = PROFILES;
    assert.ok(clinic);
    const chart = parse(readFileSync(`${root}/${CHART}/Chart.yaml`, 'utf8')) as { kubeVersion: string };
    assert.equal(chart.kubeVersion, `>=${VERSIONS[0]}-0`);
    const text = await render(clinic);
    const wrong = text.replaceAll('readOnlyRootFilesystem:', 'readOnlyRotFilesystem:');
    assert.deepEqual(await misfits(wrong, VERSIONS[0]), WORKLOADS);
    // preStop.sleep.
    assert.deepEqual(await misfits(text, '1.28.0'), ['Deployment nectar-gateway']);
  });

  test('renders the same again where no cluster is seen', { skip }, async () => {
    const { gitops } = PROFILES;
    assert.ok(gitops);
    assert.equal(await render(gitops), await render(gitops));
  });

  test('renders the hospital as it did (NECTAR_GOLDEN=write takes the new one)', { skip }, async () => {
    const { hospital } = PROFILES;
    assert.ok(hospital);
    const golden = `${root}/test/cluster/golden/hospital.yaml`;
    const text = await render(hospital, '--kube-version', '1.35.4');
    if (process.env.NECTAR_GOLDEN === 'write') writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, 'utf8'));
  });

  test('leaves users and groups to OpenShift when its API is there, and names them elsewhere', { skip }, async () => {
    const { clinic } = PROFILES;
    assert.ok(clinic);
    const there = await render(clinic, '--api-versions', 'security.openshift.io/v1');
    assert.doesNotMatch(there, /runAsUser|fsGroup:|runAsGroup/);
    assert.match(there, /runAsNonRoot: true/);
    assert.match(await render(clinic), /runAsUser: 64002/);
    const disabled = await render(
      clinic,
      ...['--api-versions', 'security.openshift.io/v1', '--set', 'compatibility.openshift=disabled'],
    );
    assert.match(disabled, /runAsUser: 64002/);
  });

  const refusals: readonly [what: string, args: readonly string[], why: RegExp][] = [
    ['an unknown value', ['--set', 'gateway.replica=3'], /additional properties 'replica' not allowed/],
    ['an option out of its bounds', ['--set', 'config.store.replicas=99'], /maximum/],
    ['an option that the chart sets', ['--set', 'config.gateway.port=9'], /additional properties 'port' not allowed/],
    ['no network', ['--set', 'network.descriptor='], /the network's descriptor is missing/],
    ['issuer existing without Secrets', ['--set', 'crossings.issuer=existing'], /needs a Secret for each role/],
    ['an Ingress without a host', ['--set', 'gateway.ingress.enabled=true'], /chooses by name/],
  ];
  for (const [what, args, why] of refusals) {
    test(`refuses ${what} before anything is installed`, { skip }, async () => {
      const said = await helm(['template', 'nectar', CHART, ...DESCRIPTOR, ...args], { mayFail: true });
      assert.notEqual(said.code, 0);
      assert.match(said.stderr, why);
    });
  }
}

export function prepareRenderings(): Promise<void> {
  return restrictedNamespace(NAMESPACE);
}

export async function clearRenderings(): Promise<void> {
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false']);
}
