import { existsSync } from 'node:fs';
import { openDocument } from '../../../hardening/collectors/document.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { type Check, checkClock, checkFolder, checkNode } from '../../preflight.ts';
import type { Terminal } from '../../terminal.ts';
import { findL1 } from '../process/plan-home.ts';
import { createHelm, type Helm } from './helm.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import type { ClusterPlan } from './plan-kubernetes.ts';

/** Sleep hooks, user namespaces in pods and the policies' details are there from then on. */
const LEAST_MINOR = 30;
const ENFORCE = 'pod-security.kubernetes.io/enforce';
/** What an installation makes, by resource. */
const NEEDED = ['secrets', 'statefulsets.apps', 'deployments.apps', 'networkpolicies.networking.k8s.io'];

/** What can be said without a cluster. Changes nothing. */
export async function preflightOffline(plan: ClusterPlan, terminal: Terminal): Promise<Check[]> {
  return [
    checkNode(process.versions.node),
    await checkFolder(plan.home),
    checkChart(plan.cluster.chart),
    await checkClock(terminal, findL1(plan)),
  ];
}

/** Looks at the cluster too. What this user may not see is said, and stops nothing. */
export async function preflightCluster(plan: ClusterPlan, terminal: Terminal): Promise<Check[]> {
  const { kubeconfig, context, namespace } = plan.cluster;
  const kubectl = createKubectl({ kubeconfig, context, namespace }, terminal);
  const helm = createHelm(kubectl, terminal);
  const hasNamespace = await findNamespace(kubectl, namespace);
  return [
    ...(await preflightOffline(plan, terminal)),
    await checkVersion(kubectl),
    await checkHelm(helm),
    hasNamespace.check,
    ...(await checkRights(kubectl)),
    await checkStorage(kubectl, plan.cluster.storageClass),
    ...(hasNamespace.exists ? [await checkQuota(kubectl), await checkRelease(helm, plan)] : []),
    ...(hasNamespace.exists ? [await checkAdmission(kubectl, helm, plan)] : []),
  ];
}

function checkChart(chart: string): Check {
  if (chart.startsWith('oci://') || existsSync(chart)) return { name: 'chart', value: chart, grade: 'good' };
  return { name: 'chart', value: `${chart} is not there`, grade: 'bad', advice: 'name it with --chart' };
}

async function checkVersion(kubectl: Kubectl): Promise<Check> {
  const answer = openDocument(await kubectl.json(['version', '-o', 'json']), 'version');
  const server = answer.in('serverVersion', 'gitVersion').text();
  const minor = Number(/^v1\.(\d+)/.exec(server)?.[1] ?? 0);
  if (minor >= LEAST_MINOR) return { name: 'cluster', value: `Kubernetes ${server}`, grade: 'good' };
  return { name: 'cluster', value: `Kubernetes ${server}`, grade: 'bad', advice: `needs 1.${LEAST_MINOR} or newer` };
}

async function checkHelm(helm: Helm): Promise<Check> {
  const version = (await helm.run(['version', '--template={{.Version}}'])).trim();
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  if (major >= 3) return { name: 'helm', value: version, grade: 'good' };
  return { name: 'helm', value: version, grade: 'bad', advice: 'needs 3 or newer' };
}

async function findNamespace(kubectl: Kubectl, namespace: string): Promise<{ exists: boolean; check: Check }> {
  try {
    const text = await kubectl.run(['get', 'namespace', namespace, '--ignore-not-found', '-o', 'json']);
    if (text.trim() === '')
      return { exists: false, check: { name: 'namespace', value: `${namespace} will be made`, grade: 'good' } };
    const level = openDocument(JSON.parse(text)).in('metadata', 'labels', ENFORCE).textOr('');
    return { exists: true, check: gradeNamespace(namespace, level) };
  } catch (error) {
    if (!isNectarError(error, 'CLUSTER_FORBIDDEN')) throw error;
    const value = `${namespace}, whose labels you may not read`;
    return {
      exists: true,
      check: { name: 'namespace', value, grade: 'poor', advice: 'ask for the standard restricted' },
    };
  }
}

export function gradeNamespace(namespace: string, level: string): Check {
  const value = level === '' ? `${namespace} enforces no standard for pods` : `${namespace} enforces ${level}`;
  if (level === 'restricted') return { name: 'namespace', value, grade: 'good' };
  const advice = `kubectl label namespace ${namespace} ${ENFORCE}=restricted`;
  return { name: 'namespace', value, grade: 'poor', advice };
}

async function checkRights(kubectl: Kubectl): Promise<Check[]> {
  const missing: string[] = [];
  for (const resource of NEEDED) {
    const answer = await kubectl.run(['auth', 'can-i', 'create', resource]).catch((error: unknown) => saidNo(error));
    if (!answer.trim().startsWith('yes')) missing.push(resource);
  }
  if (missing.length === 0) return [{ name: 'rights', value: 'to install the chart', grade: 'good' }];
  const value = `you may not create ${missing.join(', ')}`;
  return [{ name: 'rights', value, grade: 'bad', advice: 'nectar-byon init --target kubernetes --rbac' }];
}

/** `can-i` ends with an error where the answer is no. */
function saidNo(error: unknown): string {
  if (isNectarError(error, 'CLUSTER_REFUSED')) return 'no';
  throw error;
}

async function checkStorage(kubectl: Kubectl, wanted: string | undefined): Promise<Check> {
  try {
    const classes = openDocument(await kubectl.json(['get', 'storageclasses', '-o', 'json']))
      .in('items')
      .items();
    return gradeStorage(
      classes.map((one) => ({
        name: one.in('metadata', 'name').text(),
        isDefault:
          one.in('metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class').textOr('') === 'true',
      })),
      wanted,
    );
  } catch (error) {
    if (!isNectarError(error, 'CLUSTER_FORBIDDEN')) throw error;
    return { name: 'storage class', value: 'you may not list them', grade: 'poor', advice: 'ask which one to name' };
  }
}

export function gradeStorage(
  classes: readonly { readonly name: string; readonly isDefault: boolean }[],
  wanted: string | undefined,
): Check {
  const names = classes.map(({ name }) => name).join(', ') || 'none';
  const found =
    wanted === undefined ? classes.find(({ isDefault }) => isDefault) : classes.find(({ name }) => name === wanted);
  if (found !== undefined) return { name: 'storage class', value: found.name, grade: 'good' };
  const value = wanted === undefined ? `no default among ${names}` : `${wanted} is not among ${names}`;
  return { name: 'storage class', value, grade: 'bad', advice: 'name one with --storage-class' };
}

async function checkQuota(kubectl: Kubectl): Promise<Check> {
  try {
    const quotas = openDocument(await kubectl.json(['get', 'resourcequotas', '-o', 'json']))
      .in('items')
      .items();
    const full = quotas.flatMap((quota) =>
      quota
        .in('status', 'hard')
        .entries()
        .filter(([name, hard]) => quota.in('status', 'used', name).textOr('') === hard.text() && hard.text() !== '0')
        .map(([name]) => name),
    );
    if (full.length === 0) return { name: 'quota', value: quotas.length === 0 ? 'none' : 'has room', grade: 'good' };
    return { name: 'quota', value: `used up: ${full.join(', ')}`, grade: 'bad', advice: 'have the quota raised' };
  } catch (error) {
    if (!isNectarError(error, 'CLUSTER_FORBIDDEN')) throw error;
    return { name: 'quota', value: 'you may not read it', grade: 'poor', advice: 'ask for its room' };
  }
}

async function checkRelease(helm: Helm, { cluster }: ClusterPlan): Promise<Check> {
  const text = await helm.run(['list', '--all', `--filter=^${cluster.release}$`, '--output=json']);
  if (openDocument(JSON.parse(text)).items().length === 0)
    return { name: 'release', value: `${cluster.release} is free`, grade: 'good' };
  const advice = 'choose another with --release';
  return { name: 'release', value: `${cluster.release} is installed already`, grade: 'bad', advice };
}

/** What the policy engines and quotas of the cluster say to the chart itself, as a dry run. */
async function checkAdmission(kubectl: Kubectl, helm: Helm, { cluster }: ClusterPlan): Promise<Check> {
  try {
    const values = cluster.values.map((file) => `--values=${file}`);
    const example = ['--set=network.existingConfigMap=example', '--set=rootKey.existingSecret=example'];
    const rendered = await helm.run([
      'template',
      cluster.release,
      cluster.chart,
      ...values,
      ...example,
      '--skip-tests',
    ]);
    await kubectl.run(['apply', '--dry-run=server', '-o', 'name', '-f', '-'], { input: rendered });
    return { name: 'admission', value: 'the cluster admits the chart (a dry run)', grade: 'good' };
  } catch (error) {
    if (!(error instanceof NectarError) || !['CLUSTER_REFUSED', 'CLUSTER_FORBIDDEN'].includes(error.code)) throw error;
    return { name: 'admission', value: error.message, grade: 'bad', advice: 'have the policy changed, or the values' };
  }
}
