import Type, { type TSchema } from 'typebox';
import { nodeConfigSchema } from '../../../appliance/config/index.ts';
import { CONTAINER_ROLES } from '../docker/role-table.ts';
import {
  choice,
  count,
  flag,
  group,
  kubernetes,
  list,
  persistence,
  placement,
  quantity,
  resources,
  text,
  words,
} from './values-parts.ts';

const SECRET = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$';
const secret = (description: string) => text(description, '', SECRET);

/** Options that the chart sets itself: an address or a port in a pod is not the owner's choice. */
export const FIXED_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  gateway: ['host', 'port', 'bootstrapTokenFile', 'metricsHost', 'metricsPort'],
  keys: ['keyFile'],
  p2p: ['listenHost', 'listenPort'],
  rollup: ['caFile'],
};

/** The configuration of the node as values take it: what differs from the defaults, without what the chart sets. */
function configValues(): TSchema {
  const sections = Object.entries((nodeConfigSchema as { properties: Record<string, TSchema> }).properties)
    .filter(([name]) => name !== 'version')
    .map(([name, section]) => [name, withoutDefaults(section, FIXED_OPTIONS[name] ?? [])] as const);
  return Type.Object(Object.fromEntries(sections), {
    description: 'Configuration of the node, as docs/reference/config.md has it: what differs from the defaults.',
    additionalProperties: false,
    default: {},
  });
}

function withoutDefaults(schema: TSchema, fixed: readonly string[]): TSchema {
  const { default: _, required: __, properties, ...rest } = schema as Record<string, unknown>;
  if (properties === undefined) return rest as TSchema;
  const kept = Object.entries(properties as Record<string, TSchema>)
    .filter(([name]) => !fixed.includes(name))
    .map(([name, child]) => [name, withoutDefaults(child, [])]);
  return { ...rest, properties: Object.fromEntries(kept) } as TSchema;
}

const image = group('Where the images come from.', {
  registry: text('Registry with its path, such as registry.example/nectar; empty: names without one.'),
  prefix: text('Name of the images before `-<role>`.', 'nectar-byon'),
  tag: text("Tag; empty: the chart's appVersion."),
  digests: group('Image of a role by digest, which takes the place of the tag.', {
    ...Object.fromEntries(
      CONTAINER_ROLES.map((role) => [role, text(`Digest of the ${role} image.`, '', '^(sha256:[0-9a-f]{64})?$')]),
    ),
  }),
  pullPolicy: choice('When the kubelet asks the registry.', ['IfNotPresent', 'Always', 'Never']),
  pullSecrets: list('Names of Secrets with credentials of the registry.', Type.String()),
});

const network = group('The network that the node joins.', {
  descriptor: text('Its signed descriptor, as JSON: `--set-file network.descriptor=network.json`.'),
  existingConfigMap: secret('ConfigMap with the descriptor at `network.json`, instead.'),
});

const identity = group("The node's identity and keys.", {
  firstStart: choice(
    'What the store does on an empty volume: `make` keys and an identity under the root key, or `wait` for those to adopt.',
    ['make', 'wait'],
  ),
  existingSecret: secret(
    'Secret with keys.json and the sealed identities of `init --target kubernetes --emit`, to adopt.',
  ),
  public: text("The node's public identity as JSON, where it was made before; empty: learned from the store."),
  startEmpty: text(
    'The audit volume whose loss is accepted, as `audit:MARK` with the mark that VOLUME_MISSING names: its log begins without what was in it, on record. Good once; else the store hands an empty log no keys.',
    '',
    '^(audit:[0-9a-f]{32})?$',
  ),
  existingBootstrapTokenSecret: secret(
    'Secret with the first token of the owner at `token`: 43 or more letters, digits, - and _ drawn at random.',
  ),
});

const rootKey = group('What opens the node. Never a value: a Secret, a file of a CSI driver, or a person.', {
  existingSecret: secret('Secret with the key file.'),
  secretKey: text('Its key in that Secret.', 'root-key'),
  csi: group('A file that a CSI driver mounts (Vault, cloud key stores), instead of a Secret.', {
    driver: text('Driver, such as secrets-store.csi.k8s.io; empty: none.'),
    attributes: words('Its volume attributes.'),
    file: text('Name of the file in the volume.', 'root-key'),
  }),
});

const issuer = (what: string, words: readonly [string, ...string[]]) =>
  choice(
    `Who issues ${what}: \`helm\` (made at install and kept; not for GitOps, whose renderer sees no cluster), \`cert-manager\`, \`existing\` Secrets.`,
    words,
  );

const certManager = group('For issuer cert-manager.', {
  issuerRef: kubernetes('Issuer (name, kind, group); empty: a CA of this release alone.', 'object'),
  duration: text('Validity of a certificate.', '24h'),
  renewBefore: text('Renewed so long before its end.', '8h'),
});

const crossings = group('The connections between the roles: mutual TLS 1.3 with names by role.', {
  issuer: issuer('their certificates', ['helm', 'cert-manager', 'existing']),
  helm: group('For issuer helm.', {
    days: count('Validity of the certificates in days.', 365, { minimum: 1, maximum: 3650 }),
    epoch: count('A higher number issues all of them anew; the old authority is trusted until the next.', 1, {
      minimum: 1,
      maximum: 1_000_000,
    }),
  }),
  certManager,
  existingSecrets: group('For issuer existing: a Secret for each role (tls.crt, tls.key, ca.crt).', {
    ...Object.fromEntries(CONTAINER_ROLES.map((role) => [role, secret(`Secret of the ${role}.`)])),
  }),
  addressing: choice(
    'How a role finds another: `links` are the addresses that the kubelet tells each pod, which need no DNS; `dns` are names, for clusters with IPv6 alone.',
    ['links', 'dns'],
  ),
});

const gateway = group("The owner's HTTPS API.", {
  replicas: count('Pods; it keeps nothing that a second one could not share.', 2, { minimum: 1, maximum: 16 }),
  tls: group('Its certificate.', {
    issuer: issuer('it', ['helm', 'cert-manager', 'existing']),
    helm: group('For issuer helm.', {
      days: count('Validity of the certificate in days.', 397, { minimum: 1, maximum: 825 }),
      epoch: count('A higher number issues it anew, by the same authority; no pod restarts.', 1, {
        minimum: 1,
        maximum: 1_000_000,
      }),
    }),
    existingSecret: secret('For issuer existing: Secret with tls.crt, tls.key and, where clients need it, ca.crt.'),
    hostNames: list('Names by which clients call, besides those of the Service.', Type.String({ maxLength: 253 })),
    certManager,
  }),
  service: group('Its Service.', {
    type: choice('Type.', ['ClusterIP', 'NodePort', 'LoadBalancer']),
    port: count('Port.', 443, { minimum: 1, maximum: 65_535 }),
    nodePort: count('Port on the nodes; 0: the cluster chooses.', 0, { minimum: 0, maximum: 65_535 }),
    loadBalancerClass: text('Class of the load balancer.'),
    loadBalancerSourceRanges: list('Networks that the load balancer lets in.', Type.String()),
    annotations: words('Annotations.'),
  }),
  ingress: group('An Ingress that passes TLS through: the gateway sees the client, and its certificate.', {
    enabled: flag('Render it.', false),
    className: text('Ingress class; its controller must pass TLS through.'),
    hosts: list('Host names.', Type.String({ maxLength: 253 })),
    annotations: words('Annotations; those by which nginx and HAProxy pass TLS through are set.'),
  }),
  tlsRoute: group('A TLSRoute of the Gateway API, which passes TLS through.', {
    enabled: flag('Render it.', false),
    apiVersion: text('Version of the API.', 'gateway.networking.k8s.io/v1alpha2'),
    parentRefs: kubernetes('Gateways whose listener has `tls.mode: Passthrough`.', 'array'),
    hosts: list('Host names.', Type.String({ maxLength: 253 })),
  }),
  topologySpreadConstraints: kubernetes('How gateways spread; empty: over nodes, where it can be.', 'array'),
  resources: resources({ cpu: '100m', memory: '128Mi', cpuLimit: '1', memoryLimit: '384Mi' }),
  ...placement(),
});

const store = group('The encrypted store and the secret boundary.', {
  persistence: persistence('records and sealed keys', '20Gi'),
  resources: resources({ cpu: '100m', memory: '128Mi', cpuLimit: '2', memoryLimit: '512Mi' }),
  ...placement(),
});

const audit = group('The audit log.', {
  persistence: persistence('the log', '10Gi'),
  resources: resources({ cpu: '50m', memory: '64Mi', cpuLimit: '1', memoryLimit: '256Mi' }),
  ...placement(),
});

const rollup = group('The rollup full node and its peers.', {
  existingConfigSecret: secret(
    'Secret with a whole config.json for this role alone, where endpoints of L1 carry credentials; it takes the place of `config`.',
  ),
  existingCaConfigMap: secret(
    "ConfigMap with the site's authorities at `ca.crt`, for L1, the sequencer and the proxy.",
  ),
  proxy: group(
    'HTTP proxy by variables, for sites where some names must go without one: the hardening report names them (BYON-CTR-082). Else config.rollup.proxyUrl.',
    {
      httpsProxy: text('HTTPS_PROXY.'),
      httpProxy: text('HTTP_PROXY.'),
      noProxy: text('NO_PROXY.'),
    },
  ),
  p2p: group('How peers reach the node.', {
    type: choice('Service for peers; ClusterIP: only from inside the cluster.', [
      'ClusterIP',
      'NodePort',
      'LoadBalancer',
    ]),
    port: count('Port of the Service.', 4640, { minimum: 1, maximum: 65_535 }),
    nodePort: count('Port on the nodes; 0: the cluster chooses.', 0, { minimum: 0, maximum: 65_535 }),
    loadBalancerClass: text('Class of the load balancer.'),
    announce: list('Multiaddrs that peers dial, such as /ip4/203.0.113.7/tcp/4640.', Type.String({ maxLength: 128 })),
    annotations: words('Annotations of the Service.'),
  }),
  persistence: persistence('the chain', '50Gi'),
  resources: resources({ cpu: '200m', memory: '384Mi', cpuLimit: '2', memoryLimit: '1Gi' }),
  ...placement(),
});

const peers = (description: string, value: readonly unknown[] = []) => kubernetes(description, 'array', value);

/** Everything routable but the private networks of the site, its cluster and the cloud's metadata. */
const PUBLIC_NETWORKS = [
  {
    ipBlock: {
      cidr: '0.0.0.0/0',
      except: ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
    },
  },
  { ipBlock: { cidr: '::/0', except: ['::1/128', 'fc00::/7', 'fe80::/10'] } },
];

const networkPolicy = group('Who may speak to whom. Everything else is refused, both ways.', {
  enabled: flag('Render the policies. A cluster that does not enforce them is no place for this node.', true),
  gatewayFrom: peers('Who reaches the HTTPS API, as NetworkPolicyPeers; empty: everybody who reaches its Service.'),
  metricsFrom: peers('Who reaches the metrics; empty: nobody.'),
  peersFrom: peers('Who reaches the peer-to-peer port; empty: everybody.'),
  rollupTo: peers(
    'What the rollup role reaches beside its crossings: L1, the sequencer, peers, a proxy.',
    PUBLIC_NETWORKS,
  ),
  rollupToPorts: list('Ports it reaches there; empty: all.', Type.Integer({ minimum: 1, maximum: 65_535 })),
  dns: peers('Where the rollup role, which alone needs names, asks for them.', [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
  ]),
  dnsPorts: list('Ports of DNS there.', Type.Integer({ minimum: 1, maximum: 65_535 }), [53]),
});

const monitoring = group('Metrics and alarms. They hold no personal data.', {
  metrics: flag('The metrics listener of the gateway, which joins those of all roles.', true),
  serviceMonitor: flag('A ServiceMonitor of the Prometheus operator.', false),
  podMonitor: flag('A PodMonitor, instead.', false),
  interval: text('Time between two scrapes.', '30s'),
  labels: words('Labels by which a Prometheus finds its objects.'),
  prometheusRule: flag('Alarms, with the section of the runbook for each.', false),
  runbookUrl: text('Where the runbook is served; empty: the alarms name its sections alone.'),
  dashboard: flag('A ConfigMap with a Grafana dashboard, for its sidecar.', false),
  dashboardLabels: words('Its labels; empty: grafana_dashboard "1".'),
});

const test = group('`helm test`: puts, gets, verifies and destroys a record.', {
  existingTokenSecret: secret(
    'Secret with a token at `token` (scopes records:write, records:read, records:delete, audit:read); empty: no test pod.',
  ),
});

/** The values of charts/nectar-byon: values.yaml, values.schema.json and the README of the chart follow from it. */
export const chartValues = Type.Object(
  {
    nameOverride: text('Name of the chart in object names.'),
    fullnameOverride: text("Name of this release's objects."),
    image,
    compatibility: group('Where a platform decides for itself.', {
      openshift: choice(
        'OpenShift assigns users and groups: `auto` sees it by its API, `force` always leaves them out, `disabled` never.',
        ['auto', 'force', 'disabled'],
      ),
    }),
    network,
    identity,
    rootKey,
    crossings,
    config: configValues(),
    gateway,
    store,
    audit,
    rollup,
    networkPolicy,
    monitoring,
    test,
    podDisruptionBudgets: flag('A drain takes one pod of a role at a time.', true),
    priorityClassName: text('Priority class of all pods.'),
    runtimeClassName: text('Runtime class of all pods (gVisor, Kata).'),
    seccompProfileFolder: text(
      "Folder below the kubelet's seccomp folder with this release's profiles (images/seccomp), on every node; empty: RuntimeDefault.",
    ),
    terminationGracePeriodSeconds: count('Time that a pod has to end.', 60, { minimum: 30, maximum: 600 }),
    labels: words('Further labels of all objects.'),
    tmpSize: quantity('Size of /tmp in memory.', '16Mi'),
    global: Type.Object(
      {},
      { description: 'Of a chart that has this one as a part; not read.', default: {}, additionalProperties: true },
    ),
  },
  { additionalProperties: false, title: 'Values of the chart nectar-byon' },
);
