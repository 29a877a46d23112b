/** Labels by which the objects of a release are known; the chart sets them. */
export const INSTANCE_LABEL = 'app.kubernetes.io/instance';
export const ROLE_LABEL = 'app.kubernetes.io/component';

export const CLUSTER_ROLES = ['gateway', 'store', 'audit', 'rollup'] as const;
export type ClusterRole = (typeof CLUSTER_ROLES)[number];

/** TCP ports on which the roles listen in their pods. */
export const ROLE_PORTS: Readonly<Record<ClusterRole, number>> = {
  gateway: 8443,
  store: 7402,
  audit: 7403,
  rollup: 7404,
};

/** Which role calls which: docs/design/0002-containers.md. */
export const ROLE_CALLS: readonly (readonly [from: ClusterRole, to: ClusterRole])[] = [
  ['gateway', 'store'],
  ['gateway', 'audit'],
  ['gateway', 'rollup'],
  ['store', 'audit'],
  ['rollup', 'store'],
  ['rollup', 'audit'],
];

/** `-l` of kubectl for the objects of a release, or of one role of it. */
export function selectorOf(release: string, role?: ClusterRole): string {
  const instance = `${INSTANCE_LABEL}=${release}`;
  return role === undefined
    ? `${instance},${ROLE_LABEL} in (${CLUSTER_ROLES.join(',')})`
    : `${instance},${ROLE_LABEL}=${role}`;
}
