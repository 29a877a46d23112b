import type { Tree } from './hand-made-release.ts';
import {
  context,
  env,
  first,
  mountHost,
  mounts,
  podContext,
  privileged,
  specOf,
  volumes,
  type Weakening,
} from './world.ts';

/** What is wrong with a pod. */
export const WEAKENED_PODS: readonly Weakening[] = [
  {
    name: 'the namespace enforces nothing',
    check: 'BYON-K8S-021',
    batch: 1,
    weaken: ({ namespace }) => {
      (namespace.metadata as Tree).labels = {};
    },
  },
  {
    name: 'a privileged pod would be admitted',
    check: 'BYON-K8S-079',
    batch: 1,
    weaken: ({ namespace }) => {
      (namespace.metadata as Tree).labels = {};
    },
  },
  { name: 'a privileged container', check: 'BYON-CTR-005', batch: 2, weaken: ({ pods }) => privileged(pods.store) },
  {
    name: 'a container may gain privileges',
    check: 'BYON-K8S-002',
    batch: 1,
    weaken: ({ pods }) => {
      context(pods.store).allowPrivilegeEscalation = true;
    },
  },
  {
    name: 'a container is root',
    check: 'BYON-CTR-001',
    batch: 1,
    weaken: ({ pods }) => {
      Object.assign(podContext(pods.gateway), { runAsUser: 0, runAsNonRoot: false });
    },
  },
  {
    name: 'nothing refuses root',
    check: 'BYON-K8S-003',
    batch: 2,
    weaken: ({ pods }) => {
      delete podContext(pods.gateway).runAsNonRoot;
    },
  },
  {
    name: 'the primary group is root',
    check: 'BYON-CTR-003',
    batch: 1,
    weaken: ({ pods }) => {
      podContext(pods.audit).runAsGroup = 0;
    },
  },
  {
    name: 'a capability is added',
    check: 'BYON-CTR-006',
    batch: 1,
    weaken: ({ pods }) => {
      (context(pods.rollup).capabilities as Tree).add = ['NET_ADMIN'];
    },
  },
  {
    name: 'capabilities are kept',
    check: 'BYON-CTR-007',
    batch: 2,
    weaken: ({ pods }) => {
      delete context(pods.rollup).capabilities;
    },
  },
  {
    name: 'no seccomp profile',
    check: 'BYON-CTR-010',
    batch: 1,
    weaken: ({ pods }) => {
      delete podContext(pods.store).seccompProfile;
    },
  },
  {
    name: 'the root file system is writable',
    check: 'BYON-CTR-017',
    batch: 1,
    weaken: ({ pods }) => {
      context(pods.audit).readOnlyRootFilesystem = false;
    },
  },
  {
    name: 'the network of the host',
    check: 'BYON-CTR-018',
    batch: 2,
    weaken: ({ pods }) => {
      specOf(pods.gateway).hostNetwork = true;
    },
  },
  {
    name: 'the processes of the host',
    check: 'BYON-CTR-019',
    batch: 1,
    weaken: ({ pods }) => {
      specOf(pods.store).hostPID = true;
    },
  },
  {
    name: 'the memory of the host',
    check: 'BYON-CTR-020',
    batch: 1,
    weaken: ({ pods }) => {
      specOf(pods.store).hostIPC = true;
    },
  },
  {
    name: 'a kernel parameter is set',
    check: 'BYON-CTR-025',
    batch: 1,
    weaken: ({ pods }) => {
      podContext(pods.audit).sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];
    },
  },
  {
    name: 'a folder of the machine, writable',
    check: 'BYON-CTR-033',
    batch: 1,
    weaken: ({ pods }) => mountHost(pods.store, '/srv/scratch'),
  },
  { name: 'the machine itself', check: 'BYON-CTR-031', batch: 2, weaken: ({ pods }) => mountHost(pods.store, '/etc') },
  {
    name: 'the socket of the container engine',
    check: 'BYON-CTR-030',
    batch: 2,
    weaken: ({ pods }) => mountHost(pods.gateway, '/run/containerd/containerd.sock'),
  },
  {
    name: 'mounts propagate to the machine',
    check: 'BYON-CTR-034',
    batch: 2,
    weaken: ({ pods }) => {
      privileged(pods.audit);
      Object.assign(mounts(pods.audit)[0] ?? {}, { mountPropagation: 'Bidirectional' });
    },
  },
  {
    name: 'no limit of memory',
    check: 'BYON-CTR-070',
    batch: 1,
    weaken: ({ pods }) => {
      first(pods.rollup).resources = { requests: { memory: '16Mi', cpu: '1m' }, limits: { cpu: '1' } };
    },
  },
  {
    name: 'no limit of CPU time',
    check: 'BYON-CTR-072',
    batch: 2,
    weaken: ({ pods }) => {
      first(pods.rollup).resources = { requests: { memory: '16Mi', cpu: '1m' }, limits: { memory: '256Mi' } };
    },
  },
  {
    name: 'nothing looks whether it lives',
    check: 'BYON-CTR-077',
    batch: 1,
    weaken: ({ pods }) => {
      delete first(pods.audit).livenessProbe;
    },
  },
  {
    name: 'a probe goes to another host',
    check: 'BYON-K8S-010',
    batch: 1,
    weaken: ({ pods }) => {
      first(pods.gateway).readinessProbe = { httpGet: { host: '192.0.2.7', port: 80, path: '/' } };
    },
  },
  {
    name: 'a secret in the environment',
    check: 'BYON-CTR-081',
    batch: 1,
    weaken: ({ pods }) => {
      env(pods.gateway).push({ name: 'API_TOKEN', value: 'kD83hfNq0zVb71mQXw5ePa9sTuYcRgJi' });
    },
  },
  {
    name: 'a Secret as variables',
    check: 'BYON-K8S-008',
    batch: 1,
    weaken: ({ pods }) => {
      first(pods.store).envFrom = [{ secretRef: { name: 'clinic-root-key' } }];
    },
  },
  {
    name: 'a variable that switches TLS verification off',
    check: 'BYON-CTR-082',
    batch: 1,
    weaken: ({ pods }) => {
      env(pods.rollup).push({ name: 'NODE_TLS_REJECT_UNAUTHORIZED', value: '0' });
    },
  },
  {
    name: 'a secret on the command line',
    check: 'BYON-CTR-083',
    batch: 1,
    weaken: ({ pods }) => {
      (first(pods.gateway).args as string[]).push('--api-token=kD83hfNq0zVb71mQXw5ePa9sTuYcRgJi');
    },
  },
  {
    name: 'an image by a tag',
    check: 'BYON-CTR-088',
    batch: 1,
    weaken: ({ pods }) => {
      first(pods.store).image = 'registry.example.org/nectar-byon-store:latest';
    },
  },
  {
    name: 'a token of the service account',
    check: 'BYON-K8S-001',
    batch: 1,
    weaken: ({ pods }) => {
      specOf(pods.audit).automountServiceAccountToken = true;
    },
  },
  {
    name: 'the default service account',
    check: 'BYON-K8S-030',
    batch: 1,
    weaken: ({ pods }) => {
      specOf(pods.rollup).serviceAccountName = 'default';
    },
  },
  {
    name: '/proc is not masked',
    check: 'BYON-K8S-004',
    batch: 3,
    weaken: ({ pods }) => {
      specOf(pods.audit).hostUsers = false;
      context(pods.audit).procMount = 'Unmasked';
    },
  },
  {
    name: 'a port of the machine',
    check: 'BYON-K8S-006',
    batch: 1,
    weaken: ({ pods }) => {
      Object.assign((first(pods.rollup).ports as Tree[])[0] ?? {}, { hostPort: 34640 });
    },
  },
  {
    name: 'a hook runs a shell',
    check: 'BYON-K8S-009',
    batch: 1,
    weaken: ({ pods }) => {
      first(pods.gateway).lifecycle = { preStop: { exec: { command: ['/bin/sh', '-c', 'sleep 5'] } } };
    },
  },
  {
    name: 'SELinux labels of the host',
    check: 'BYON-K8S-011',
    batch: 1,
    weaken: ({ pods }) => {
      podContext(pods.store).seLinuxOptions = { type: 'spc_t' };
    },
  },
  {
    name: 'a type of volume from outside',
    check: 'BYON-K8S-005',
    batch: 1,
    weaken: ({ pods }) => {
      volumes(pods.store).push({ name: 'share', nfs: { server: '192.0.2.9', path: '/share' } });
    },
  },
];
