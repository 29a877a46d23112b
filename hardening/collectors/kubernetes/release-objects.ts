import { openDocument } from '../document.ts';
import type { AccessRules } from './access-grants.ts';
import type { ClusterApi, Release } from './cluster-api.ts';
import type { KubeObject } from './manifests.ts';

const INSTANCE = 'app.kubernetes.io/instance';
/** A pod that has ended holds nothing any more. */
const ENDED = ['Succeeded', 'Failed'];
const NAMESPACED = [
  'pods',
  'deployments',
  'statefulsets',
  'services',
  'configmaps',
  'serviceaccounts',
  'networkpolicies',
  'poddisruptionbudgets',
  'persistentvolumeclaims',
] as const;
type Namespaced = (typeof NAMESPACED)[number];

/** What is in the namespace of a release. */
export interface NamespaceObjects {
  /** Undefined where namespaces may not be read. */
  readonly namespace: KubeObject | undefined;
  readonly all: Readonly<Record<Namespaced, readonly KubeObject[]>>;
  /** The pods of the release, as admitted. */
  readonly pods: readonly KubeObject[];
}

/** @throws what the API server says where any of it may not be read */
export async function readNamespace(api: ClusterApi, release: Release, signal: AbortSignal): Promise<NamespaceObjects> {
  const lists: [Namespaced, readonly KubeObject[]][] = [];
  for (const resource of NAMESPACED) lists.push([resource, await api.list(resource, 'namespace', signal)]);
  const all = Object.fromEntries(lists) as Record<Namespaced, readonly KubeObject[]>;
  const namespace = await api.get(`/api/v1/namespaces/${release.namespace}`, signal).catch(() => undefined);
  return {
    namespace: namespace === undefined ? undefined : namespaceOf(namespace, release.namespace),
    all,
    pods: all.pods.filter((pod) => isOwn(pod, release) && isAlive(pod)),
  };
}

export function isOwn({ labels, namespace }: KubeObject, release: Release): boolean {
  return namespace === release.namespace && labels.get(INSTANCE) === release.name;
}

export function isAlive({ document }: KubeObject): boolean {
  return !ENDED.includes(document.in('status', 'phase').textOr(''));
}

/** A single object, which the API server answers with its kind; its name is ours to check. */
function namespaceOf(answer: unknown, name: string): KubeObject {
  const document = openDocument(answer, 'Namespace');
  const metadata = document.in('metadata');
  if (metadata.in('name').text() !== name) throw new Error('the API server answered with another namespace');
  const map = (field: string): Map<string, string> =>
    new Map(
      metadata
        .in(field)
        .entries()
        .map(([key, value]) => [key, value.text()]),
    );
  return { kind: 'Namespace', name, namespace: '', labels: map('labels'), annotations: map('annotations'), document };
}

/** The rules that bear on the namespace: its own, and those of the whole cluster. */
export async function readAccess(api: ClusterApi, signal: AbortSignal): Promise<AccessRules> {
  const list = (resource: string, where: 'namespace' | 'cluster') => api.list(resource, where, signal);
  return {
    roles: await list('roles', 'namespace'),
    roleBindings: await list('rolebindings', 'namespace'),
    clusterRoles: await list('clusterroles', 'cluster'),
    clusterRoleBindings: await list('clusterrolebindings', 'cluster'),
  };
}

/** Roles and bindings of the release: those that carry its label, and those that its service accounts are bound to. */
export function accessOfRelease(access: AccessRules, pods: readonly KubeObject[], release: Release): KubeObject[] {
  const accounts = new Set(
    pods.map(({ document }) => document.in('spec', 'serviceAccountName').textOr('') || 'default'),
  );
  const isBound = ({ document }: KubeObject): boolean =>
    document
      .in('subjects')
      .items()
      .some(
        (subject) =>
          subject.in('kind').text() === 'ServiceAccount' &&
          subject.in('namespace').textOr('') === release.namespace &&
          accounts.has(subject.in('name').text()),
      );
  const isLabelled = ({ labels }: KubeObject): boolean => labels.get(INSTANCE) === release.name;
  const bindings = [...access.roleBindings, ...access.clusterRoleBindings].filter(
    (binding) => isBound(binding) || isLabelled(binding),
  );
  const named = new Set(
    bindings.map(({ document }) => `${document.in('roleRef', 'kind').text()} ${document.in('roleRef', 'name').text()}`),
  );
  const roles = access.roles.filter((role) => isLabelled(role) || named.has(`Role ${role.name}`));
  const clusterRoles = access.clusterRoles.filter((role) => isLabelled(role) || named.has(`ClusterRole ${role.name}`));
  return [...bindings, ...roles, ...clusterRoles];
}
