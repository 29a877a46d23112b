import { looksLikeSecret } from '../../secret-shapes.ts';
import { type FactsOf, observe } from '../observe.ts';
import { clusterRolesOf, entersPods, isWild, readsSecrets, rulesOf } from './access-rules.ts';
import type { KubeObject } from './manifests.ts';
import { reachOf } from './network-policies.ts';
import { hostPathsOf } from './pod-places.ts';
import { containersOf, POD_KINDS, type PodTemplate, podsOf, securityField, selects } from './pods.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
const KNOWN_KINDS = [
  ...POD_KINDS,
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
  'Namespace',
  'NetworkPolicy',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'Role',
  'RoleBinding',
  'Secret',
  'Service',
  'ServiceAccount',
];
const CLUSTER_KINDS = ['ClusterRole', 'ClusterRoleBinding', 'Namespace', 'PersistentVolume'];
/** Kinds that keep their pods: a budget is for these. */
const LASTING = ['Deployment', 'StatefulSet', 'ReplicaSet'];

/** What belongs to one namespace of a rendering; what belongs to the cluster belongs to each. */
export function inNamespace(objects: readonly KubeObject[], namespace: string): KubeObject[] {
  return objects.filter(({ kind, namespace: own }) => CLUSTER_KINDS.includes(kind) || own === namespace);
}

/** What a release has beside its containers. Pure. */
export function workloadFacts(objects: readonly KubeObject[], namespace: string): FactsOf<'workload'> {
  const ofKind = (kind: string): KubeObject[] => objects.filter((object) => object.kind === kind);
  const services = ofKind('Service').map(({ document }) => document.in('spec'));
  const found = ofKind('Namespace').find(({ name }) => name === namespace || namespace === '');
  return {
    ...podFacts(objects),
    ...networkFacts(objects),
    'workload.namespace': { value: namespace },
    'workload.podSecurity':
      found === undefined ? { absent: 'the rendering has no Namespace' } : { value: found.labels.get(ENFORCE) ?? '' },
    'workload.roleVerbsWild': observe(() => rulesOf(objects).some(isWild)),
    'workload.clusterRoles': observe(() => clusterRolesOf(objects)),
    'workload.secretReads': observe(() => rulesOf(objects).some(readsSecrets)),
    'workload.podExec': observe(() => rulesOf(objects).some(entersPods)),
    'workload.plainSecrets': observe(() =>
      ofKind('ConfigMap')
        .filter(holdsSecret)
        .map(({ name }) => name),
    ),
    'workload.serviceTypes': observe(() => services.map((spec) => spec.in('type').textOr('ClusterIP'))),
    'workload.externalIps': observe(() => services.some((spec) => spec.in('externalIPs').texts().length > 0)),
    'workload.hostPathVolumes': observe(() => [
      ...podsOf(objects).flatMap(hostPathsOf),
      ...ofKind('PersistentVolume').flatMap(({ document }) => {
        const path = document.in('spec', 'hostPath', 'path');
        return path.isAbsent ? [] : [path.text()];
      }),
    ]),
    'workload.unknownKinds': observe(() =>
      objects.map(({ kind }) => kind).filter((kind) => !KNOWN_KINDS.includes(kind)),
    ),
  };
}

function podFacts(objects: readonly KubeObject[]) {
  const pods = podsOf(objects);
  const budgets = objects
    .filter(({ kind }) => kind === 'PodDisruptionBudget')
    .map(({ document }) => document.in('spec', 'selector'));
  return {
    'workload.defaultServiceAccount': observe(() =>
      pods.some(({ spec }) => ['', 'default'].includes(spec.in('serviceAccountName').textOr(''))),
    ),
    'workload.disruptionBudget': observe(() =>
      pods
        .filter(({ owner }) => makersOf(owner).some((kind) => LASTING.includes(kind)))
        .every(({ labels }) => budgets.some((selector) => selects(selector, labels))),
    ),
    'workload.tillerOrHooksPrivileged': observe(() => pods.filter(({ isHook }) => isHook).some(isPrivileged)),
    'workload.priorityClass': observe(() => pods.every(({ spec }) => spec.in('priorityClassName').textOr('') !== '')),
  };
}

/** Of a template, the object that has it; of a pod that runs, who made it. */
function makersOf({ kind, document }: KubeObject): string[] {
  if (kind !== 'Pod') return [kind];
  return document
    .in('metadata', 'ownerReferences')
    .items()
    .map((reference) => reference.in('kind').text());
}

function isPrivileged(pod: PodTemplate): boolean {
  return containersOf(pod).some((container) => {
    if (container.document.in('securityContext', 'privileged').flagOr(false)) return true;
    const uid = securityField(container, 'runAsUser');
    return uid.isAbsent ? !securityField(container, 'runAsNonRoot').flagOr(false) : uid.integer() === 0;
  });
}

function networkFacts(objects: readonly KubeObject[]) {
  // A hook's pod comes and goes; it is judged with the others, since it is on the same network.
  const pods = podsOf(objects);
  const reach = reachOf(objects.filter(({ kind }) => kind === 'NetworkPolicy'));
  const roles = (holds: (pod: PodTemplate) => boolean): string[] => pods.filter(holds).map(({ role }) => role);
  return {
    'workload.networkPolicyRoles': observe(() => roles((pod) => reach.isSelected(pod))),
    'workload.defaultDeny': observe(
      () =>
        pods.length > 0 &&
        pods.every((pod) => reach.isDeniedByDefault(pod, 'Ingress') && reach.isDeniedByDefault(pod, 'Egress')),
    ),
    'workload.egressOpenRoles': observe(() => roles((pod) => reach.isOpen(pod, 'Egress'))),
    'workload.ingressOpenRoles': observe(() => roles((pod) => reach.isOpen(pod, 'Ingress'))),
  };
}

/** Entries as a whole, and the lines of those that are files with settings. */
function holdsSecret({ document }: KubeObject): boolean {
  return [...document.in('data').entries(), ...document.in('binaryData').entries()].some(([name, entry]) => {
    const text = entry.text();
    if (looksLikeSecret(name, text)) return true;
    return text.split('\n').some((line) => {
      const [, key = '', value = ''] = /^\s*(?:-\s+)?"?([\w.-]+)"?\s*[:=]\s*"?(.*?)"?,?\s*$/.exec(line) ?? [];
      return key !== '' && looksLikeSecret(key, value);
    });
  });
}
