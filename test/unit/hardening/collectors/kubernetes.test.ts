import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { createManifestsCollector } from '../../../../hardening/collectors/kubernetes/kubernetes.ts';
import { parseManifests } from '../../../../hardening/collectors/kubernetes/manifests.ts';
import { parseQuantity } from '../../../../hardening/collectors/kubernetes/quantity.ts';
import type { Observation, Subject } from '../../../../hardening/fact-set.ts';
import { FACTS } from '../../../../hardening/facts/index.ts';

const signal = new AbortController().signal;
const DIGEST = `sha256:${'a'.repeat(64)}`;

type Tree = { [key: string]: unknown };

const labels = (role: string): Tree => ({
  'app.kubernetes.io/name': 'nectar-byon',
  'app.kubernetes.io/instance': 'clinic',
  'app.kubernetes.io/component': role,
});

const container = (): Tree => ({
  name: 'store',
  image: `registry.example.org/nectar-byon-store@${DIGEST}`,
  args: ['run', 'store', '--home', '/nectar'],
  env: [{ name: 'NECTAR_SOCKETS', value: '/run/nectar' }],
  ports: [{ containerPort: 8443 }],
  resources: { limits: { memory: '512Mi', cpu: 2 }, requests: { memory: '256Mi', cpu: '250m' } },
  livenessProbe: { exec: { command: ['/nodejs/bin/node', '/app/main.mjs', 'healthcheck', 'store'] } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
  volumeMounts: [
    { name: 'config', mountPath: '/nectar/config' },
    { name: 'store', mountPath: '/nectar/store' },
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'keys', mountPath: '/run/secrets', readOnly: true },
  ],
});

const podSpec = (): Tree => ({
  serviceAccountName: 'nectar',
  automountServiceAccountToken: false,
  priorityClassName: 'clinic',
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 64002,
    runAsGroup: 64002,
    fsGroup: 64000,
    seccompProfile: { type: 'RuntimeDefault' },
  },
  containers: [container()],
  volumes: [
    { name: 'config', configMap: { name: 'config' } },
    { name: 'store', persistentVolumeClaim: { claimName: 'store' } },
    { name: 'tmp', emptyDir: { medium: 'Memory' } },
    { name: 'keys', secret: { secretName: 'root-key' } },
  ],
});

const object = (kind: string, name: string, more: Tree): Tree => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'clinic' },
  ...more,
});
const statefulSet = (spec: Tree = podSpec()): Tree =>
  object('StatefulSet', 'nectar-store', { spec: { template: { metadata: { labels: labels('store') }, spec } } });
const policy = (spec: Tree): Tree => object('NetworkPolicy', 'policy', { spec });
const DENY = policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

async function collect(...objects: readonly Tree[]): Promise<readonly Subject[]> {
  const text = objects.map((one) => `---\n${stringify(one)}`).join('');
  return createManifestsCollector({ read: async () => [{ text }] }).collect(signal);
}

const of = (subjects: readonly Subject[], kind: string): Record<string, Observation> => {
  const subject = subjects.find((candidate) => candidate.kind === kind);
  assert.ok(subject, kind);
  return subject.facts as Record<string, Observation>;
};

/** Facts of a container after a change of it or of its pod. */
async function changed(change: (container: Tree, spec: Tree) => void): Promise<Record<string, Observation>> {
  const spec = podSpec();
  const [first] = spec.containers as Tree[];
  change(first ?? {}, spec);
  return of(await collect(statefulSet(spec)), 'container');
}

test('reads a container of a rendered pod', async () => {
  const subjects = await collect(statefulSet());
  assert.deepEqual(
    subjects.map(({ kind, name }) => `${kind} ${name}`),
    ['container clinic/statefulset/nectar-store/store', 'workload clinic'],
  );
  const found = of(subjects, 'container');
  for (const [fact, value] of Object.entries({
    role: 'store',
    platform: 'kubernetes',
    imagePinned: true,
    uid: 64002,
    gid: 64002,
    supplementaryGroups: ['64000'],
    runAsNonRoot: true,
    privileged: false,
    readOnlyRoot: true,
    capabilitiesAdded: [],
    capabilitiesDropped: ['ALL'],
    noNewPrivileges: true,
    allowPrivilegeEscalation: false,
    seccomp: 'default',
    appArmor: '',
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    hostUts: false,
    hostMounts: [],
    engineSocketMounted: false,
    writableVolumes: ['store', 'tmp'],
    volumes: ['config', 'keys', 'store', 'tmp'],
    volumeTypes: ['configMap', 'emptyDir', 'persistentVolumeClaim', 'secret'],
    tmpfs: ['/tmp'],
    memoryLimitBytes: 512 * 1024 ** 2,
    memoryReservationBytes: 256 * 1024 ** 2,
    cpuMillis: 2000,
    memoryRequestSet: true,
    healthcheck: true,
    healthcheckShell: false,
    restartPolicy: 'always',
    environment: ['NECTAR_SOCKETS'],
    secretsInEnvironment: [],
    secretsInEnvFrom: false,
    exposedPorts: ['8443/tcp'],
    publishedPorts: [],
    hostPorts: [],
    automountServiceAccountToken: false,
    procMount: 'Default',
    probeHosts: [],
    selinuxOverrides: [],
    labelled: true,
  })) {
    assert.deepEqual(found[`container.${fact}`], { value }, fact);
  }
});

test('answers for every fact of a container and of a workload', async () => {
  const subjects = await collect(statefulSet());
  for (const kind of ['container', 'workload']) {
    const known = Object.keys(FACTS).filter((fact) => fact.startsWith(`${kind}.`));
    assert.deepEqual(Object.keys(of(subjects, kind)).sort(), known.sort());
  }
});

test('sees every weakening of a pod in the fact that is about it', async () => {
  const context = (fields: Tree) => (one: Tree) => Object.assign(one.securityContext as Tree, fields);
  const own = (fields: Tree) => (one: Tree) => Object.assign(one, fields);
  const pod = (fields: Tree) => (_one: Tree, spec: Tree) => Object.assign(spec, fields);
  const podContext = (fields: Tree) => (_one: Tree, spec: Tree) => Object.assign(spec.securityContext as Tree, fields);
  const host =
    (path: string, mount: Tree = {}) =>
    (one: Tree, spec: Tree) => {
      (spec.volumes as Tree[]).push({ name: 'host', hostPath: { path } });
      (one.volumeMounts as Tree[]).push({ name: 'host', mountPath: '/host', ...mount });
    };
  const cases: readonly [string, (one: Tree, spec: Tree) => unknown, unknown][] = [
    ['privileged', context({ privileged: true }), true],
    ['seccomp', context({ privileged: true }), 'unconfined'],
    ['readOnlyRoot', context({ readOnlyRootFilesystem: false }), false],
    ['capabilitiesAdded', context({ capabilities: { add: ['CAP_NET_RAW'] } }), ['NET_RAW']],
    ['capabilitiesDropped', context({ capabilities: {} }), []],
    ['allowPrivilegeEscalation', (one) => delete one.securityContext, true],
    ['noNewPrivileges', (one) => delete one.securityContext, false],
    ['uid', (_one, spec) => delete spec.securityContext, 0],
    ['uid', context({ runAsUser: 0 }), 0],
    ['runAsNonRoot', context({ runAsNonRoot: false }), false],
    ['seccomp', podContext({ seccompProfile: undefined }), 'unconfined'],
    ['seccomp', context({ seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } }), 'custom'],
    ['appArmor', context({ appArmorProfile: { type: 'Unconfined' } }), 'unconfined'],
    ['selinuxOptions', context({ seLinuxOptions: { type: 'container_t' } }), ['type:container_t']],
    ['selinuxOverrides', context({ seLinuxOptions: { type: 'container_t', level: 's0' } }), []],
    ['selinuxOverrides', context({ seLinuxOptions: { type: 'spc_t', user: 'u' } }), ['type:spc_t', 'user:u']],
    ['procMount', context({ procMount: 'Unmasked' }), 'Unmasked'],
    ['sysctls', podContext({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] }), ['kernel.msgmax=1']],
    ['hostNetwork', pod({ hostNetwork: true }), true],
    ['hostUts', pod({ hostNetwork: true }), true],
    ['hostPorts', pod({ hostNetwork: true }), ['8443']],
    ['hostPid', pod({ hostPID: true }), true],
    ['hostIpc', pod({ hostIPC: true }), true],
    ['automountServiceAccountToken', (_one, spec) => delete spec.automountServiceAccountToken, true],
    ['hostMounts', host('/srv', { readOnly: true }), ['/srv:ro']],
    ['writableHostMounts', host('/srv'), ['/srv']],
    ['sensitiveHostMounts', host('/etc/ssl'), ['/etc/ssl:rw']],
    ['engineSocketMounted', host('/run/containerd/containerd.sock'), true],
    ['mountPropagation', host('/srv', { mountPropagation: 'Bidirectional' }), ['rshared']],
    ['volumeTypes', pod({ volumes: [{ name: 'x', hostPath: { path: '/' } }] }), ['hostPath']],
    ['hostPorts', own({ ports: [{ containerPort: 8443, hostPort: 443 }] }), ['443']],
    ['privilegedHostPorts', own({ ports: [{ containerPort: 8443, hostPort: 443 }] }), ['443']],
    ['allInterfacePorts', own({ ports: [{ containerPort: 1, hostPort: 2, hostIP: '10.0.0.1' }] }), []],
    ['allInterfacePorts', own({ ports: [{ containerPort: 1, hostPort: 2 }] }), ['2']],
    ['imagePinned', own({ image: 'nectar-byon-store:0.1.0' }), false],
    ['memoryLimitBytes', own({ resources: {} }), 0],
    ['memoryRequestSet', own({ resources: { requests: { cpu: 1 } } }), false],
    ['healthcheck', own({ livenessProbe: undefined }), false],
    ['healthcheckShell', own({ readinessProbe: { exec: { command: ['sh', '-c', 'x'] } } }), true],
    ['lifecycleExec', own({ lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'sleep 1'] } } } }), true],
    ['probeHosts', own({ readinessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }), ['169.254.169.254']],
    ['secretsInEnvironment', own({ env: [{ name: 'DB_PASSWORD', value: 'hunter2!' }] }), ['DB_PASSWORD']],
    ['secretsInEnvFrom', own({ envFrom: [{ secretRef: { name: 'x' } }] }), true],
    ['secretsInEnvFrom', own({ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'x', key: 'y' } } }] }), true],
    ['secretsInCommand', own({ args: ['--password', 'hunter2!'] }), true],
    ['devices', own({ volumeDevices: [{ name: 'x', devicePath: '/dev/xvda' }] }), ['/dev/xvda']],
  ];
  for (const [fact, change, value] of cases) {
    assert.deepEqual((await changed(change))[`container.${fact}`], { value }, `${fact}: ${change.toString()}`);
  }
});

test('looks at containers that prepare a pod, too, and at every kind that makes pods', async () => {
  const spec = {
    ...podSpec(),
    initContainers: [{ name: 'prepare', image: 'busybox', securityContext: { runAsUser: 0 } }],
  };
  const subjects = await collect(
    object('CronJob', 'scrub', { spec: { jobTemplate: { spec: { template: { metadata: {}, spec } } } } }),
  );
  assert.deepEqual(
    subjects.filter(({ kind }) => kind === 'container').map(({ name }) => name),
    ['clinic/cronjob/scrub/store', 'clinic/cronjob/scrub/prepare'],
  );
  assert.deepEqual(subjects[1]?.facts['container.uid'], { value: 0 });
  assert.deepEqual(subjects[0]?.facts['container.role'], { value: 'scrub' });
});

test('says of the token what the service account says, where the pod is silent', async () => {
  const { automountServiceAccountToken: _silent, ...spec } = podSpec();
  const account = object('ServiceAccount', 'nectar', { automountServiceAccountToken: false });
  const fact = 'container.automountServiceAccountToken';
  assert.deepEqual(of(await collect(statefulSet(spec), account), 'container')[fact], { value: false });
  const other = { ...account, metadata: { name: 'nectar', namespace: 'elsewhere' } };
  assert.deepEqual(of(await collect(statefulSet(spec), other), 'container')[fact], { value: true });
});

test('never guesses what a manifest does not say rightly', async () => {
  const broken = await changed((one) => {
    one.resources = { limits: { memory: 'lots' } };
    one.securityContext = { readOnlyRootFilesystem: 'yes', seccompProfile: { type: 'Best' } };
  });
  for (const fact of ['memoryLimitBytes', 'readOnlyRoot', 'seccomp'])
    assert.ok('error' in (broken[`container.${fact}`] ?? {}), fact);
  const local = await changed((one) => {
    one.securityContext = { seccompProfile: { type: 'Localhost', localhostProfile: 'x' } };
  });
  assert.ok('error' in (local['container.seccompCalls'] ?? {}));
});

async function workload(...objects: readonly Tree[]): Promise<(fact: string) => unknown> {
  const found = of(await collect(statefulSet(), ...objects), 'workload');
  return (fact) => {
    const observation = found[`workload.${fact}`];
    return observation !== undefined && 'value' in observation ? observation.value : observation;
  };
}

test('reads network policies as the cluster does', async () => {
  const none = await workload();
  assert.deepEqual(none('networkPolicyRoles'), []);
  assert.equal(none('defaultDeny'), false);
  assert.deepEqual([none('ingressOpenRoles'), none('egressOpenRoles')], [['store'], ['store']]);

  const closed = await workload(DENY);
  assert.deepEqual(closed('networkPolicyRoles'), ['store']);
  assert.equal(closed('defaultDeny'), true);
  assert.deepEqual([closed('ingressOpenRoles'), closed('egressOpenRoles')], [[], []]);

  const wayOut = async (egress: unknown[]): Promise<unknown> =>
    (await workload(DENY, policy({ podSelector: {}, policyTypes: ['Egress'], egress })))('egressOpenRoles');
  assert.deepEqual(await wayOut([{}]), ['store']);
  assert.deepEqual(await wayOut([{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }]), ['store']);
  assert.deepEqual(await wayOut([{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 443 }] }]), []);
  assert.deepEqual(await wayOut([{ to: [{ podSelector: {} }] }]), []);

  const one = async (podSelector: Tree): Promise<unknown> =>
    (await workload(policy({ podSelector })))('networkPolicyRoles');
  assert.deepEqual(await one({ matchLabels: { 'app.kubernetes.io/component': 'gateway' } }), []);
  const expression = (operator: string, values?: string[]): Tree => ({
    matchExpressions: [{ key: 'app.kubernetes.io/component', operator, ...(values && { values }) }],
  });
  assert.deepEqual(await one(expression('In', ['store', 'audit'])), ['store']);
  assert.deepEqual(await one(expression('NotIn', ['store'])), []);
  assert.deepEqual(await one(expression('Exists')), ['store']);
  assert.deepEqual(await one(expression('DoesNotExist')), []);
  assert.match(((await one(expression('Like'))) as { error: string }).error, /unknown operator Like/);
  // Ingress alone, as a policy without policyTypes and egress rules is.
  const half = await workload(policy({ podSelector: {} }));
  assert.deepEqual([half('defaultDeny'), half('ingressOpenRoles'), half('egressOpenRoles')], [false, [], ['store']]);
});

test('reads what the roles of a release may do', async () => {
  const may = async (rule: Tree, kind = 'Role'): Promise<unknown[]> => {
    const found = await workload(object(kind, 'role', { rules: [{ apiGroups: [''], ...rule }] }));
    return ['roleVerbsWild', 'secretReads', 'podExec'].map(found);
  };
  assert.deepEqual(await may({ resources: ['configmaps'], verbs: ['get'] }), [false, false, false]);
  assert.deepEqual(await may({ resources: ['secrets'], verbs: ['list'] }), [false, true, false]);
  assert.deepEqual(await may({ resources: ['secrets'], verbs: ['create'] }), [false, false, false]);
  assert.deepEqual(await may({ resources: ['*'], verbs: ['get'] }), [true, true, true]);
  assert.deepEqual(await may({ resources: ['pods/exec'], verbs: ['create'] }), [false, false, true]);
  assert.deepEqual(await may({ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }), [
    false,
    false,
    true,
  ]);
  const found = await workload(
    object('ClusterRole', 'reader', { rules: [] }),
    object('ClusterRoleBinding', 'all', { roleRef: { kind: 'ClusterRole', name: 'cluster-admin' } }),
  );
  assert.deepEqual(found('clusterRoles'), ['cluster-admin', 'reader']);
});

test('reads the rest of a release', async () => {
  const namespace = (enforce: Tree): Tree => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'clinic', labels: enforce },
  });
  const good = await workload(
    namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' }),
    object('PodDisruptionBudget', 'pdb', { spec: { selector: { matchLabels: labels('store') } } }),
    object('Service', 'gateway', { spec: { ports: [] } }),
    object('ConfigMap', 'config', { data: { 'config.json': '{\n "keys": {"keyFile": "/run/secrets/root-key"}\n}' } }),
  );
  for (const [fact, value] of Object.entries({
    namespace: 'clinic',
    podSecurity: 'restricted',
    disruptionBudget: true,
    serviceTypes: ['ClusterIP'],
    externalIps: false,
    plainSecrets: [],
    hostPathVolumes: [],
    defaultServiceAccount: false,
    priorityClass: true,
    tillerOrHooksPrivileged: false,
    unknownKinds: [],
  })) {
    assert.deepEqual(good(fact), value, fact);
  }
  const hook = object('Job', 'hook', {
    metadata: { name: 'hook', namespace: 'clinic', annotations: { 'helm.sh/hook': 'pre-install' } },
    spec: { template: { spec: { containers: [{ name: 'x', image: 'x' }] } } },
  });
  const weak = await workload(
    hook,
    namespace({}),
    object('Service', 'gateway', { spec: { type: 'NodePort', externalIPs: ['198.51.100.1'] } }),
    object('ConfigMap', 'config', { data: { 'app.yaml': 'db:\n  password: hunter2!\n' } }),
    object('PersistentVolume', 'disk', { spec: { hostPath: { path: '/mnt/disk' } } }),
    object('Ingress', 'way-in', {}),
  );
  for (const [fact, value] of Object.entries({
    podSecurity: '',
    disruptionBudget: false,
    serviceTypes: ['NodePort'],
    externalIps: true,
    plainSecrets: ['config'],
    hostPathVolumes: ['/mnt/disk'],
    defaultServiceAccount: true,
    priorityClass: false,
    tillerOrHooksPrivileged: true,
    unknownKinds: ['Ingress'],
  })) {
    assert.deepEqual(weak(fact), value, fact);
  }
  assert.deepEqual((await workload())('podSecurity'), { absent: 'the rendering has no Namespace' });
});

test('takes lists apart, and refuses what is no manifest', async () => {
  const [first] = parseManifests({
    text: JSON.stringify({ kind: 'List', apiVersion: 'v1', items: [statefulSet()] }),
  });
  assert.equal(first?.kind, 'StatefulSet');
  assert.deepEqual(parseManifests({ text: '---\n# nothing\n---\n' }), []);
  assert.throws(() => parseManifests({ text: 'a: [b' }), /manifest 1/);
  assert.throws(() => parseManifests({ text: 'a: b' }), /no kind/);
  await assert.rejects(collect(DENY), /no pod/);
  const bomb = `a: &a [x]\n${'b'
    .repeat(9)
    .split('')
    .map((_b, index) => `k${index}: &k${index} [${`*${index === 0 ? 'a' : `k${index - 1}`},`.repeat(9)}]`)
    .join('\n')}\nkind: X\n`;
  assert.throws(() => parseManifests({ text: bomb }));
});

test('names the line of the file where an object begins, and none of what has no file', () => {
  const text = 'kind: Service\nmetadata: { name: a }\n---\n# why\nkind: Pod\nmetadata: { name: b }\n';
  const sources = parseManifests({ text, file: 'rendered/all.yaml' }).map(({ source }) => source);
  assert.deepEqual(sources, [
    { file: 'rendered/all.yaml', line: 1 },
    { file: 'rendered/all.yaml', line: 5 },
  ]);
  assert.ok(parseManifests({ text }).every((object) => !('source' in object)));
});

test('reads quantities as Kubernetes does', () => {
  for (const [text, value] of [
    ['512Mi', 512 * 1024 ** 2],
    ['1.5Gi', 1.5 * 1024 ** 3],
    ['250m', 0.25],
    ['2', 2],
    [2, 2],
    ['1e3', 1000],
    ['1G', 1e9],
  ] as const) {
    assert.equal(parseQuantity(text), value);
  }
  for (const wrong of ['', 'much', '1X', '-1', null, {}]) assert.throws(() => parseQuantity(wrong));
});
