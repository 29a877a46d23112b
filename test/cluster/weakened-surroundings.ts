import { RELEASE, type Tree } from './hand-made-release.ts';
import {
  account,
  BUSY,
  drop,
  find,
  give,
  giveEverywhere,
  RBAC,
  rule,
  setOf,
  specOf,
  stranger,
  type Weakening,
} from './world.ts';

/** What is wrong around the pods. */
export const WEAKENED_SURROUNDINGS: readonly Weakening[] = [
  {
    name: 'a role without a policy',
    check: 'BYON-K8S-022',
    batch: 1,
    weaken: (world) => drop(world, 'NetworkPolicy', `${RELEASE}-audit`),
  },
  {
    name: 'egress is not limited',
    check: 'BYON-K8S-024',
    batch: 1,
    weaken: (world) => {
      (find(world, 'NetworkPolicy', `${RELEASE}-store`).spec as Tree).egress = [{}];
    },
  },
  {
    name: 'everybody may connect',
    check: 'BYON-K8S-025',
    batch: 1,
    weaken: (world) => {
      (find(world, 'NetworkPolicy', `${RELEASE}-store`).spec as Tree).ingress = [{}];
    },
  },
  {
    name: 'a policy that forgets egress',
    check: 'BYON-K8S-023',
    batch: 2,
    weaken: (world) => {
      (find(world, 'NetworkPolicy', `${RELEASE}-store`).spec as Tree).policyTypes = ['Ingress'];
    },
  },
  {
    name: 'a secret in a ConfigMap',
    check: 'BYON-K8S-031',
    batch: 1,
    weaken: (world) => {
      find(world, 'ConfigMap', `${RELEASE}-config`).data = { password: 'kD83hfNq0zVb71mQXw5ePa9s' };
    },
  },
  {
    name: 'a port on every machine of the cluster',
    check: 'BYON-K8S-032',
    batch: 1,
    weaken: (world) => {
      (find(world, 'Service', `${RELEASE}-gateway`).spec as Tree).type = 'NodePort';
    },
  },
  {
    name: 'an address of the site',
    check: 'BYON-K8S-033',
    batch: 1,
    weaken: (world) => {
      (find(world, 'Service', `${RELEASE}-gateway`).spec as Tree).externalIPs = ['192.0.2.80'];
    },
  },
  {
    name: 'a role of the node with a wildcard',
    check: 'BYON-K8S-026',
    batch: 1,
    weaken: (world) => give(world, 'wild', [rule(['*'], ['configmaps'], ['*'])], account(world)),
  },
  {
    name: 'a role of the node over the whole cluster',
    check: 'BYON-K8S-027',
    batch: 1,
    weaken: (world) => giveEverywhere(world, 'lister', [rule([''], ['nodes'], ['list'])], account(world)),
  },
  {
    name: 'the node reads Secrets',
    check: 'BYON-K8S-028',
    batch: 1,
    weaken: (world) => give(world, 'reads', [rule([''], ['secrets'], ['get'])], account(world)),
  },
  {
    name: 'the node makes pods',
    check: 'BYON-K8S-029',
    batch: 1,
    weaken: (world) => give(world, 'makes', [rule([''], ['pods'], ['create'])], account(world)),
  },
  {
    name: 'a person may run programs in the pods',
    check: 'BYON-K8S-060',
    batch: 2,
    weaken: (world) => give(world, 'mallory', [rule([''], ['pods/exec'], ['get'])]),
  },
  {
    name: 'a person may add a container for debugging',
    check: 'BYON-K8S-060',
    batch: 3,
    weaken: (world) => give(world, 'debugger', [rule([''], ['*/ephemeralcontainers'], ['patch'])]),
  },
  {
    name: 'a role for everybody who edits',
    check: 'BYON-K8S-061',
    batch: 2,
    weaken: (world) =>
      world.objects.push({
        ...{ apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata: { name: 'editors' } },
        subjects: [{ kind: 'Group', name: 'developers', apiGroup: RBAC }],
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'edit' },
      }),
  },
  {
    name: 'a further administrator of the cluster',
    check: 'BYON-K8S-062',
    batch: 2,
    weaken: (world) => giveEverywhere(world, 'deployer', [rule(['*'], ['*'], ['*'])]),
  },
  {
    name: 'a person may act as others',
    check: 'BYON-K8S-063',
    batch: 2,
    weaken: (world) => giveEverywhere(world, 'support', [rule([''], ['users'], ['impersonate'])]),
  },
  {
    name: 'a person makes tokens',
    check: 'BYON-K8S-064',
    batch: 2,
    weaken: (world) => give(world, 'minter', [rule([''], ['serviceaccounts/token'], ['create'])]),
  },
  {
    name: 'a monitor reaches the kubelets',
    check: 'BYON-K8S-065',
    batch: 2,
    weaken: (world) => giveEverywhere(world, 'monitor', [rule([''], ['nodes/proxy'], ['get'])]),
  },
  {
    name: 'a program makes volumes of folders',
    check: 'BYON-K8S-066',
    batch: 2,
    weaken: (world) => giveEverywhere(world, 'provisioner', [rule([''], ['persistentvolumes'], ['create'])]),
  },
  {
    name: 'a person approves certificates',
    check: 'BYON-K8S-067',
    batch: 2,
    weaken: (world) =>
      giveEverywhere(world, 'approver', [
        rule(['certificates.k8s.io'], ['certificatesigningrequests/approval'], ['update']),
      ]),
  },
  {
    name: 'a program changes webhooks',
    check: 'BYON-K8S-068',
    batch: 2,
    weaken: (world) =>
      giveEverywhere(world, 'injector', [
        rule(['admissionregistration.k8s.io'], ['mutatingwebhookconfigurations'], ['patch']),
      ]),
  },
  {
    name: 'a person changes the policies',
    check: 'BYON-K8S-069',
    batch: 2,
    weaken: (world) => give(world, 'netadmin', [rule(['networking.k8s.io'], ['networkpolicies'], ['delete'])]),
  },
  {
    name: 'anonymous users have a role',
    check: 'BYON-K8S-070',
    batch: 3,
    weaken: (world) =>
      giveEverywhere(world, 'anybody', [rule([''], ['nodes'], ['list'])], {
        ...{ kind: 'Group', name: 'system:unauthenticated', apiGroup: RBAC },
      }),
  },
  {
    name: 'anonymous users read the Secrets of the namespace',
    check: 'BYON-K8S-071',
    batch: 3,
    weaken: (world) =>
      give(world, 'open-secrets', [rule([''], ['secrets'], ['list'])], {
        ...{ kind: 'User', name: 'system:anonymous', apiGroup: RBAC },
      }),
  },
  {
    name: 'another pod has the volume of the store',
    check: 'BYON-K8S-072',
    batch: 2,
    weaken: (world) =>
      world.objects.push(
        stranger('copycat', {
          containers: [{ ...BUSY, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${RELEASE}-store-0` } }],
        }),
      ),
  },
  {
    name: 'another pod has a Secret of the store',
    check: 'BYON-K8S-073',
    batch: 2,
    weaken: (world) =>
      world.objects.push(
        stranger('reader', {
          containers: [{ ...BUSY, envFrom: [{ secretRef: { name: `${RELEASE}-crossing-store` } }] }],
        }),
      ),
  },
  {
    name: 'another pod sees the volumes of all pods of the machine',
    check: 'BYON-K8S-074',
    batch: 2,
    weaken: (world) =>
      world.objects.push(
        stranger('backup', { containers: [BUSY], volumes: [{ name: 'all', hostPath: { path: '/var/lib' } }] }),
      ),
  },
  {
    name: 'a privileged pod beside the node',
    check: 'BYON-K8S-075',
    batch: 2,
    weaken: (world) =>
      world.objects.push(stranger('shell', { containers: [{ ...BUSY, securityContext: { privileged: true } }] })),
  },
  {
    name: 'a pod of somebody else in the namespace',
    check: 'BYON-K8S-076',
    batch: 2,
    weaken: (world) => world.objects.push(stranger('guest', { containers: [BUSY] })),
  },
  {
    name: 'a container that the template does not have',
    check: 'BYON-K8S-077',
    batch: 2,
    weaken: (world) => {
      world.objects.push(setOf('store'));
      (specOf(world.pods.store).containers as Tree[]).push({ ...BUSY, name: 'proxy' });
    },
  },
  {
    name: 'no budget for maintenance',
    check: 'BYON-K8S-034',
    batch: 0,
    weaken: (world) => {
      const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'gone', uid: 'b0f1', controller: false };
      (world.pods.rollup.metadata as Tree).ownerReferences = [owner];
      drop(world, 'PodDisruptionBudget', `${RELEASE}-rollup`);
    },
  },
];
