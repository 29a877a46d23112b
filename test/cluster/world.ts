import { namespaceOf, podOf, RELEASE, ROLES, type Role, surroundings, type Tree } from './hand-made-release.ts';

/** A namespace with the release, and what is around it. */
export interface World {
  readonly name: string;
  readonly namespace: Tree;
  readonly pods: Record<Role, Tree>;
  /** Further objects of the namespace. */
  readonly objects: Tree[];
  /** Objects of the cluster and of other namespaces. */
  readonly around: Tree[];
}

/** One change for the worse that somebody could make, and the check that must see it. */
export interface Weakening {
  readonly name: string;
  readonly check: string;
  /**
   * Weakenings of one batch do not hide each other: they are looked at together on a real cluster. 0: as facts alone, since the
   * cluster's own controllers would undo it.
   */
  readonly batch: 0 | 1 | 2 | 3;
  weaken(world: World): void;
}

export function goodWorld(name: string): World {
  const pods = Object.fromEntries(ROLES.map((role) => [role, podOf(role)])) as Record<Role, Tree>;
  return { name, namespace: namespaceOf(name), pods, objects: surroundings(), around: [] };
}

export const specOf = (pod: Tree): Tree => pod.spec as Tree;
export const podContext = (pod: Tree): Tree => specOf(pod).securityContext as Tree;
export const first = (pod: Tree): Tree => (specOf(pod).containers as Tree[])[0] as Tree;
export const context = (pod: Tree): Tree => first(pod).securityContext as Tree;
export const volumes = (pod: Tree): Tree[] => specOf(pod).volumes as Tree[];
export const mounts = (pod: Tree): Tree[] => first(pod).volumeMounts as Tree[];
export const env = (pod: Tree): Tree[] => first(pod).env as Tree[];
export const find = (world: World, kind: string, name: string): Tree => {
  const found = world.objects.find((one) => one.kind === kind && (one.metadata as Tree).name === name);
  if (found === undefined) throw new Error(`${kind} ${name}`);
  return found;
};
export const drop = (world: World, kind: string, name: string): void => {
  world.objects.splice(world.objects.indexOf(find(world, kind, name)), 1);
};

export const RBAC = 'rbac.authorization.k8s.io';
export const rule = (apiGroups: string[], resources: string[], verbs: string[]): Tree => ({
  apiGroups,
  resources,
  verbs,
});

/** A role of the namespace, bound to a person. */
export function give(world: World, name: string, rules: Tree[], subject: Tree = person(name)): void {
  const metadata = { name };
  world.objects.push(
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules },
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, subjects: [subject] },
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
    },
  );
}

/** A role of the cluster, bound to a person; its name begins with the namespace's, so that it can be tidied away. */
export function giveEverywhere(world: World, name: string, rules: Tree[], subject: Tree = person(name)): void {
  const metadata = { name: `${world.name}-${name}` };
  world.around.push(
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata, subjects: [subject] },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: metadata.name },
    },
  );
}

export const person = (name: string): Tree => ({ kind: 'User', name: `${name}@example.org`, apiGroup: RBAC });
export const account = (world: World): Tree => ({
  ...{ kind: 'ServiceAccount', name: `${RELEASE}-nectar-byon`, namespace: world.name },
});

export const stranger = (name: string, spec: Tree): Tree => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { automountServiceAccountToken: false, ...spec },
});
export const BUSY = { name: 'busy', image: 'registry.example.org/busy:1' };

export function privileged(pod: Tree): void {
  Object.assign(context(pod), { privileged: true, allowPrivilegeEscalation: true });
}

export function mountHost(pod: Tree, path: string): void {
  volumes(pod).push({ name: 'host', hostPath: { path } });
  mounts(pod).push({ name: 'host', mountPath: '/host' });
}

/** The set that a pod is named after; it has no copies, and takes no pod that is there for its own. */
export function setOf(role: Role): Tree {
  const { metadata, spec } = podOf(role);
  const labels = { ...((metadata as Tree).labels as Tree), 'test.nectar-byon/set': 'template' };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: `${RELEASE}-${role}`, labels } },
    spec: {
      replicas: 0,
      serviceName: role,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  };
}
