/**
 * The objects of a release as the chart makes them, by hand: what each weakening changes must be seen by the report, whatever the
 * chart does tomorrow. The images are named and never pulled: what is judged is what the API server has admitted.
 */
export type Tree = { [key: string]: unknown };

export const RELEASE = 'clinic';
export const ROLES = ['gateway', 'store', 'audit', 'rollup'] as const;
export type Role = (typeof ROLES)[number];

const PORTS: Readonly<Record<Role, number>> = { gateway: 8443, store: 7402, audit: 7403, rollup: 7404 };
const UIDS: Readonly<Record<Role, number>> = { gateway: 64001, store: 64002, audit: 64003, rollup: 64004 };
const DIGEST = `sha256:${'a'.repeat(64)}`;

export const labelsOf = (role: Role): Tree => ({
  'app.kubernetes.io/name': 'nectar-byon',
  'app.kubernetes.io/instance': RELEASE,
  'app.kubernetes.io/component': role,
});

const named = (kind: string, name: string, rest: Tree, apiVersion = 'v1'): Tree => ({
  apiVersion,
  kind,
  metadata: { name, labels: { 'app.kubernetes.io/instance': RELEASE } },
  ...rest,
});

export function podOf(role: Role): Tree {
  const probe = { exec: { command: ['/nodejs/bin/node', '/app/main.mjs', 'healthcheck', role] } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${RELEASE}-${role}-0`, labels: labelsOf(role) },
    spec: {
      serviceAccountName: `${RELEASE}-nectar-byon`,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: UIDS[role],
        runAsGroup: UIDS[role],
        fsGroup: UIDS[role],
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: role,
          image: `registry.example.org/nectar-byon-${role}@${DIGEST}`,
          args: ['run', role, '--home', '/nectar'],
          env: [{ name: 'NECTAR_CROSSINGS', value: 'tls' }],
          ports: [{ name: role, containerPort: PORTS[role] }],
          resources: { requests: { memory: '16Mi', cpu: '1m' }, limits: { memory: '256Mi', cpu: '1' } },
          livenessProbe: probe,
          readinessProbe: probe,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'data', mountPath: `/nectar/${role}` },
            { name: 'tls', mountPath: '/run/nectar/tls', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: `data-${RELEASE}-${role}-0` } },
        { name: 'tls', secret: { secretName: `${RELEASE}-crossing-${role}`, defaultMode: 0o440 } },
        { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      ],
    },
  };
}

/** What goes beside the pods. */
export function surroundings(): Tree[] {
  const networking = 'networking.k8s.io/v1';
  const selected = (role: Role): Tree => ({ matchLabels: labelsOf(role) });
  const policies = ROLES.map((role) =>
    named(
      'NetworkPolicy',
      `${RELEASE}-${role}`,
      {
        spec: {
          podSelector: selected(role),
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ from: [{ podSelector: selected('gateway') }], ports: [{ port: PORTS[role] }] }],
        },
      },
      networking,
    ),
  );
  const budgets = ROLES.map((role) =>
    named(
      'PodDisruptionBudget',
      `${RELEASE}-${role}`,
      { spec: { maxUnavailable: 1, selector: selected(role) } },
      'policy/v1',
    ),
  );
  const services = ROLES.map((role) =>
    named('Service', `${RELEASE}-${role}`, {
      spec: { selector: labelsOf(role), ports: [{ name: role, port: PORTS[role] }] },
    }),
  );
  return [
    named('ServiceAccount', `${RELEASE}-nectar-byon`, { automountServiceAccountToken: false }),
    named('ConfigMap', `${RELEASE}-config`, { data: { 'config.json': '{"version": 1}' } }),
    ...policies,
    ...budgets,
    ...services,
  ];
}

/** Namespace of the standard restricted. */
export const namespaceOf = (name: string): Tree => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
});
