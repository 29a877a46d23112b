import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, openDocument } from '../../../hardening/collectors/document.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Kubectl } from './kubectl.ts';
import { INSTANCE_LABEL, ROLE_LABEL } from './release-labels.ts';
import { fullName, type ReleaseName } from './release-names.ts';
import { WAIT_FOR_WORK } from './volume-programs.ts';

/** Roles that have a volume. */
export const VOLUME_ROLES = ['store', 'audit', 'rollup'] as const;
export type VolumeRole = (typeof VOLUME_ROLES)[number];

/** `app.kubernetes.io/component` of such a pod: no Service leads to it, and the policy that admits nothing holds for it. */
const VOLUMES_COMPONENT = 'volumes';

const START_MS = 120_000;
const POLL_MS = 500;
/** Nobody backs up for longer; what is left behind ends by then at the latest. */
const DEADLINE_SECONDS = 24 * 3600;

export interface VolumePods {
  /** Runs a program beside the volumes of a role, its streams those of the child. */
  start(role: VolumeRole, source: string, args?: readonly string[]): ChildProcessWithoutNullStreams;
}

export interface VolumePodsRequest {
  readonly name: ReleaseName;
  /** StatefulSets by role, as the cluster has them or as the chart renders them. */
  readonly sets: ReadonlyMap<VolumeRole, Document>;
  readonly write: boolean;
  /** Roles whose own pod runs: a volume of one machine is reached on that machine only. */
  readonly running: readonly VolumeRole[];
}

/** Fixed, so that a Role can name them for `pods/exec`. */
export function volumePodName(name: ReleaseName, role: VolumeRole): string {
  return `${fullName(name)}-volume-${role}`;
}

/**
 * A pod for each role's volumes, for as long as `work` takes: of the role's own image and user, by the same security as the role, without
 * network, keys or token.
 *
 * @throws NectarError CLUSTER_POD_FAILED, and CLUSTER_REFUSED while another command has them
 */
export async function withVolumePods<T>(
  kubectl: Kubectl,
  request: VolumePodsRequest,
  work: (pods: VolumePods) => Promise<T>,
): Promise<T> {
  const { name, sets } = request;
  const roles = [...sets.keys()];
  const names = roles.map((role) => volumePodName(name, role));
  await clearEnded(kubectl, request);
  const items = roles.map((role) => volumePod(request, role));
  const children = new Set<ChildProcessWithoutNullStreams>();
  try {
    await kubectl.run(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
    await waitUntilTheyRun(kubectl, names);
    return await work({
      start(role, source, args = []) {
        const inside = ['/nodejs/bin/node', '--input-type=module', '-e', source, '--', ...args];
        const argv = [...kubectl.argv, 'exec', '-i', volumePodName(name, role), '--', ...inside];
        const child = spawn('kubectl', argv, { env: { ...kubectl.env }, stdio: 'pipe' });
        children.add(child.once('close', () => children.delete(child)));
        return child;
      },
    });
  } finally {
    for (const child of children) child.kill('SIGTERM');
    const lasting = kubectl.until(new AbortController().signal);
    await lasting.run(['delete', 'pods', ...names, '--ignore-not-found', '--now']);
  }
}

async function clearEnded(kubectl: Kubectl, { name, sets }: VolumePodsRequest): Promise<void> {
  const selector = `${INSTANCE_LABEL}=${name.release},${ROLE_LABEL}=${VOLUMES_COMPONENT}`;
  const found = openDocument(await kubectl.json(['get', 'pods', '-l', selector, '-o', 'json']), 'pods');
  const names = [...sets.keys()].map((role) => volumePodName(name, role));
  const pods = found.in('items').items();
  const left = pods.filter((pod) => names.includes(pod.in('metadata', 'name').text()));
  const hasEnded = (pod: Document): boolean => ['Succeeded', 'Failed'].includes(pod.in('status', 'phase').textOr(''));
  const atWork = left.find((pod) => !hasEnded(pod));
  if (atWork !== undefined) {
    const reason = `the pod ${atWork.in('metadata', 'name').text()} of another command is still there; it ends by itself within minutes of its command`;
    throw new NectarError('CLUSTER_REFUSED', { doing: 'opening the volumes', reason });
  }
  const ended = left.map((pod) => pod.in('metadata', 'name').text());
  if (ended.length > 0) await kubectl.run(['delete', 'pods', ...ended, '--ignore-not-found', '--now']);
}

async function waitUntilTheyRun(kubectl: Kubectl, names: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(START_MS);
  for (;;) {
    const answer = openDocument(await kubectl.json(['get', 'pods', ...names, '-o', 'json']), 'pods');
    const pods = answer.in('kind').textOr('') === 'List' ? answer.in('items').items() : [answer];
    const waiting = pods.filter((pod) => pod.in('status', 'phase').textOr('') !== 'Running');
    const [first] = waiting;
    if (first === undefined) return;
    const hasEnded = waiting.find((pod) => ['Succeeded', 'Failed'].includes(pod.in('status', 'phase').textOr('')));
    if (hasEnded !== undefined || signal.aborted) throw failureOf(hasEnded ?? first);
    await sleep(POLL_MS);
  }
}

function failureOf(pod: Document): NectarError<'CLUSTER_POD_FAILED'> {
  const status = pod.in('status');
  const container = status.in('containerStatuses').items()[0];
  const conditions = status.in('conditions').items();
  const places = [
    ...(container === undefined ? [] : [container.in('state', 'waiting'), container.in('state', 'terminated')]),
    ...conditions.filter((one) => one.in('status').textOr('') === 'False'),
    status,
  ];
  const texts = places.map((place) => place.in('message').textOr('') || place.in('reason').textOr(''));
  const reason = texts.find((text) => text !== '') ?? `it is ${status.in('phase').textOr('unknown')}`;
  return new NectarError('CLUSTER_POD_FAILED', { pod: pod.in('metadata', 'name').text(), reason });
}

const KEPT_OF_POD = [
  ...['securityContext', 'imagePullSecrets', 'nodeSelector', 'tolerations', 'priorityClassName', 'runtimeClassName'],
];
const KEPT_OF_CONTAINER = ['image', 'imagePullPolicy', 'resources', 'securityContext'];

/** What the role's own pod is, without anything that it does not need to read or write the volume. */
function volumePod({ name, sets, write, running }: VolumePodsRequest, role: VolumeRole): object {
  const set = sets.get(role) ?? openDocument(undefined, role);
  const template = set.in('spec', 'template');
  const spec = template.in('spec');
  const [container = openDocument(undefined, `${role}.containers`)] = spec.in('containers').items();
  const mounts = container
    .in('volumeMounts')
    .items()
    .filter((mount) => mount.in('name').text() === 'data');
  const labels = template.in('metadata', 'labels').raw() as Record<string, string>;
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: volumePodName(name, role), labels: { ...labels, [ROLE_LABEL]: VOLUMES_COMPONENT } },
    spec: {
      ...picked(spec, KEPT_OF_POD),
      // That of a release which is not installed yet is not there.
      ...(!write && picked(spec, ['serviceAccountName'])),
      ...{ automountServiceAccountToken: false, enableServiceLinks: false, dnsPolicy: 'Default' },
      ...{ restartPolicy: 'Never', activeDeadlineSeconds: DEADLINE_SECONDS, terminationGracePeriodSeconds: 5 },
      ...(running.includes(role) && { affinity: { podAffinity: beside(labels) } }),
      containers: [
        {
          name: 'volume',
          ...picked(container, KEPT_OF_CONTAINER),
          command: ['/nodejs/bin/node', '--input-type=module', '-e', WAIT_FOR_WORK],
          volumeMounts: mounts.map((mount) => ({ ...(mount.raw() as object), readOnly: !write })),
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claimName(set) } }],
    },
  };
}

/** Of the one pod of a StatefulSet. */
export function claimName(set: Document): string {
  return `data-${set.in('metadata', 'name').text()}-0`;
}

function beside(labels: Readonly<Record<string, string>>): object {
  const matchLabels = { [INSTANCE_LABEL]: labels[INSTANCE_LABEL], [ROLE_LABEL]: labels[ROLE_LABEL] };
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels } };
  return { requiredDuringSchedulingIgnoredDuringExecution: [term] };
}

function picked(document: Document, keys: readonly string[]): Record<string, unknown> {
  const present = keys.filter((key) => !document.in(key).isAbsent);
  return Object.fromEntries(present.map((key) => [key, document.in(key).raw()]));
}
