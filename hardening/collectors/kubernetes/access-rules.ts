import type { Document } from '../document.ts';
import type { KubeObject } from './manifests.ts';

const READS = ['get', 'list', 'watch'];
const CREATES = ['create', 'update', 'patch'];
/** Whoever may create one of these creates pods. */
const POD_MAKERS = [
  'pods',
  'deployments',
  'statefulsets',
  'daemonsets',
  'replicasets',
  'replicationcontrollers',
  'jobs',
  'cronjobs',
];
const INTO_PODS = ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers'];

/** Rules of Roles and ClusterRoles. */
export function rulesOf(objects: readonly KubeObject[]): Document[] {
  return objects
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .flatMap(({ document }) => document.in('rules').items());
}

export function isWild(rule: Document): boolean {
  return ['verbs', 'resources', 'apiGroups', 'nonResourceURLs'].some((field) => rule.in(field).texts().includes('*'));
}

export function readsSecrets(rule: Document): boolean {
  return names(rule, 'resources', ['secrets']) && names(rule, 'verbs', READS);
}

export function entersPods(rule: Document): boolean {
  // `get` is enough to open a stream to exec over a web socket.
  if (names(rule, 'resources', INTO_PODS)) return names(rule, 'verbs', [...CREATES, 'get']);
  return names(rule, 'resources', POD_MAKERS) && names(rule, 'verbs', CREATES);
}

/** ClusterRoles that come with a release, and those that it binds for the whole cluster. */
export function clusterRolesOf(objects: readonly KubeObject[]): string[] {
  return objects.flatMap(({ kind, name, document }) => {
    if (kind === 'ClusterRole') return [name];
    return kind === 'ClusterRoleBinding' ? [document.in('roleRef', 'name').text()] : [];
  });
}

function names(rule: Document, field: string, wanted: readonly string[]): boolean {
  return rule
    .in(field)
    .texts()
    .some((value) => value === '*' || wanted.includes(value) || (value.startsWith('*/') && field === 'resources'));
}
