import type { ReleaseName } from './release-names.ts';
import { VOLUME_ROLES, volumePodName } from './volume-pods.ts';
import { toYaml } from './yaml.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const RBAC = 'rbac.authorization.k8s.io';
const CORE = [''];
const LOOK = ['get', 'list', 'watch'];
const ALL = [...LOOK, 'create', 'update', 'patch', 'delete'];
const rule = (apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): Rule => ({
  ...{ apiGroups, resources, verbs },
});

/** Day two: up, down, status, logs, doctor, unlock, and everything that goes through the node's own API. Reads no Secret. */
const OPERATOR_RULES: readonly Rule[] = [
  rule(CORE, ['pods'], LOOK),
  rule(CORE, ['pods/log'], ['get']),
  // The way to the node's own API, which asks for the owner's token.
  rule(CORE, ['pods/portforward'], ['create']),
  rule(['apps'], ['deployments', 'statefulsets'], LOOK),
  rule(['apps'], ['deployments/scale', 'statefulsets/scale'], ['get', 'update', 'patch']),
];

/** init, upgrade, rollback, destroy: what helm needs for this chart, and nothing beside it. */
const INSTALLER_RULES: readonly Rule[] = [
  ...OPERATOR_RULES,
  // helm keeps its releases in Secrets.
  rule(CORE, ['secrets', 'configmaps', 'services', 'serviceaccounts', 'persistentvolumeclaims'], ALL),
  rule(CORE, ['pods'], ['create', 'delete']),
  rule(CORE, ['resourcequotas'], LOOK),
  rule(['apps'], ['deployments', 'statefulsets', 'replicasets'], ALL),
  rule(['networking.k8s.io'], ['networkpolicies', 'ingresses'], ALL),
  rule(['policy'], ['poddisruptionbudgets'], ALL),
];

/**
 * backup, restore, fsck with a backup, unlocking a node that is down: pods with the volumes. Who may create pods in a namespace may mount
 * what lies there, Secrets included: of all that operates, this is what an administrator gives last.
 */
function backupRules(name: ReleaseName): Rule[] {
  const pods = VOLUME_ROLES.map((role) => volumePodName(name, role));
  return [
    ...OPERATOR_RULES,
    rule(CORE, ['pods'], ['create']),
    { ...rule(CORE, ['pods'], ['delete']), resourceNames: pods },
    // Into these alone: not into a role that holds keys.
    { ...rule(CORE, ['pods/exec'], ['create', 'get']), resourceNames: pods },
  ];
}

/** harden: what it looks at in the namespace, the probes included. */
const AUDITOR_RULES: readonly Rule[] = [
  rule(CORE, ['pods', 'services', 'configmaps', 'serviceaccounts', 'persistentvolumeclaims'], ['get', 'list']),
  rule(['apps'], ['deployments', 'statefulsets'], ['get', 'list']),
  rule(['networking.k8s.io'], ['networkpolicies'], ['get', 'list']),
  rule(['policy'], ['poddisruptionbudgets'], ['get', 'list']),
  rule([RBAC], ['roles', 'rolebindings'], ['get', 'list']),
  // As a dry run: whether a privileged pod would be admitted.
  rule(CORE, ['pods'], ['create']),
  // Whether policies are enforced, tried from inside the pods.
  rule(CORE, ['pods/exec'], ['create', 'get']),
];

/** Of the cluster: who has which rights, who lives on the same machines, what the kubelets say. */
const AUDITOR_CLUSTER_RULES: readonly Rule[] = [
  rule(CORE, ['namespaces'], ['get']),
  rule(CORE, ['pods', 'persistentvolumes'], ['list']),
  rule([RBAC], ['clusterroles', 'clusterrolebindings'], ['list']),
  rule(CORE, ['nodes/proxy'], ['get']),
];

/** Roles and bindings for somebody who operates, installs or audits the node: as YAML, for the administrator of the cluster. */
export function renderRbac({ namespace, release }: ReleaseName): string {
  const bound = (kind: 'Role' | 'ClusterRole', name: string, rules: readonly Rule[]): object[] => {
    const metadata = kind === 'Role' ? { name, namespace } : { name: `${namespace}-${name}` };
    return [
      { apiVersion: `${RBAC}/v1`, kind, metadata, rules },
      {
        ...{ apiVersion: `${RBAC}/v1`, kind: `${kind}Binding`, metadata },
        subjects: [{ kind: 'Group', apiGroup: RBAC, name: `${name}s` }],
        roleRef: { apiGroup: RBAC, kind, name: metadata.name },
      },
    ];
  };
  const parts: [string, object[]][] = [
    [
      'up, down, status, logs, doctor, unlock, put, get and all that the API does',
      bound('Role', `${release}-operator`, OPERATOR_RULES),
    ],
    [
      'backup, and whatever else reads the volumes',
      bound('Role', `${release}-keeper`, backupRules({ namespace, release })),
    ],
    [
      'init, upgrade, rollback, destroy (through helm); for restore as well, together with the role above',
      bound('Role', `${release}-installer`, INSTALLER_RULES),
    ],
    ['harden, in the namespace', bound('Role', `${release}-auditor`, AUDITOR_RULES)],
    [
      'harden, of the cluster; without it those facts are not seen',
      bound('ClusterRole', `${release}-auditor`, AUDITOR_CLUSTER_RULES),
    ],
  ];
  const text = parts.map(([about, objects]) => `# For ${about}.\n${objects.map((one) => toYaml(one)).join('---\n')}`);
  return `# Change the subjects to yours. Nobody needs all of them.\n${text.join('---\n')}`;
}
