import type { Document } from '../document.ts';
import type { KubeObject } from './manifests.ts';

/** What a rule must allow to count. */
export interface Right {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The access rules that bear on one namespace. */
export interface AccessRules {
  readonly roles: readonly KubeObject[];
  readonly roleBindings: readonly KubeObject[];
  readonly clusterRoles: readonly KubeObject[];
  readonly clusterRoleBindings: readonly KubeObject[];
}

/** One rule of a role, and who has it by which binding. */
export interface Grant {
  readonly subject: string;
  readonly role: string;
  readonly isClusterWide: boolean;
  readonly rule: Document;
}

/** Groups that are the cluster's administrators by construction. */
const ADMINISTRATORS = ['Group system:masters', 'Group kubeadm:cluster-admins'];
const BOOTSTRAP_LABEL = 'kubernetes.io/bootstrapping';
const SYSTEM_NAMESPACE = 'kube-system';

/** Everybody who has a rule in the namespace, without those that Kubernetes itself binds for its own parts. */
export function grantsOf(access: AccessRules): Grant[] {
  const rulesOf = new Map<string, Document[]>([
    ...access.roles.map(({ name, document }) => [`Role ${name}`, document.in('rules').items()] as const),
    ...access.clusterRoles.map(({ name, document }) => [`ClusterRole ${name}`, document.in('rules').items()] as const),
  ]);
  const grants = (bindings: readonly KubeObject[], isClusterWide: boolean): Grant[] =>
    bindings.flatMap((binding) => {
      const reference = binding.document.in('roleRef');
      const role = `${reference.in('kind').text()} ${reference.in('name').text()}`;
      const rules = rulesOf.get(role) ?? [];
      return subjectsOf(binding).flatMap((subject) => rules.map((rule) => ({ subject, role, isClusterWide, rule })));
    });
  return [...grants(access.roleBindings, false), ...grants(access.clusterRoleBindings, true)];
}

/** Subjects that may do everything; they are named once, and not again for each thing. */
export function administratorsOf(grants: readonly Grant[]): string[] {
  const everything = grants.filter(
    ({ rule, isClusterWide }) =>
      isClusterWide && ['verbs', 'resources', 'apiGroups'].every((field) => rule.in(field).texts().includes('*')),
  );
  return [...new Set(everything.map(({ subject }) => subject))];
}

/** Who has any of the rights, other than those who have them all. */
export function holdersOf(grants: readonly Grant[], rights: readonly Right[]): string[] {
  const administrators = administratorsOf(grants);
  const holders = grants.filter(({ rule }) => rights.some((right) => allows(rule, right)));
  return [...new Set(holders.map(({ subject }) => subject))].filter((subject) => !administrators.includes(subject));
}

function allows(rule: Document, { groups, resources, verbs }: Right): boolean {
  const meets = (field: string, wanted: readonly string[]): boolean =>
    rule
      .in(field)
      .texts()
      .some((value) => value === '*' || wanted.includes(value));
  const isResource = rule
    .in('resources')
    .texts()
    .some((value) => value === '*' || resources.some((resource) => isSame(value, resource)));
  return isResource && meets('apiGroups', groups) && meets('verbs', verbs);
}

/** `*` before the slash stands for every resource that has such a part. */
function isSame(value: string, resource: string): boolean {
  return value === resource || (value.startsWith('*/') && resource.endsWith(value.slice(1)));
}

function subjectsOf({ labels, document }: KubeObject): string[] {
  const subjects = document
    .in('subjects')
    .items()
    .map((subject) => {
      const kind = subject.in('kind').text();
      const name = subject.in('name').text();
      return kind === 'ServiceAccount' ? `${kind} ${subject.in('namespace').textOr('')}/${name}` : `${kind} ${name}`;
    });
  const isBuiltIn = labels.has(BOOTSTRAP_LABEL);
  return subjects.filter((subject) => !ADMINISTRATORS.includes(subject) && !(isBuiltIn && isOfCluster(subject)));
}

function isOfCluster(subject: string): boolean {
  return /^(User|Group) system:/.test(subject) || subject.startsWith(`ServiceAccount ${SYSTEM_NAMESPACE}/`);
}
