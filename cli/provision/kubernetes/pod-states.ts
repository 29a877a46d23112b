import { type Document, openDocument } from '../../../hardening/collectors/document.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { knownError } from '../process/start-failure.ts';
import type { ClusterTarget } from './cluster-target.ts';
import type { Kubectl } from './kubectl.ts';
import { CLUSTER_ROLES, type ClusterRole, ROLE_LABEL, selectorOf } from './release-labels.ts';

export interface PodState {
  readonly pod: string;
  readonly role: ClusterRole;
  readonly image: string;
  readonly machine: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** Why it does not run, in the cluster's words; undefined when it does. */
  readonly reason: string | undefined;
  /** It does not pass by itself. */
  readonly isStuck: boolean;
  /** What the role said when it ended last, as the error that it is. */
  readonly failure: NectarError | undefined;
}

/** What a kubelet says when trying again will not help. */
const STUCK = [
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
];
const MAX_REASON_CHARS = 300;

export async function readPods(kubectl: Kubectl, { release }: Pick<ClusterTarget, 'release'>): Promise<PodState[]> {
  const answer = await kubectl.json(['get', 'pods', '-l', selectorOf(release), '-o', 'json']);
  return parsePods(answer);
}

export function parsePods(answer: unknown): PodState[] {
  const pods = openDocument(answer, 'pods').in('items').items();
  return pods
    .flatMap((pod): PodState[] => {
      const role = CLUSTER_ROLES.find((one) => one === pod.in('metadata', 'labels', ROLE_LABEL).textOr(''));
      return role === undefined ? [] : [stateOf(pod, role)];
    })
    .sort((a, b) => (a.pod < b.pod ? -1 : 1));
}

function stateOf(pod: Document, role: ClusterRole): PodState {
  const status = pod.in('status');
  const container = status.in('containerStatuses').items()[0];
  const waiting = container?.in('state', 'waiting');
  const unscheduled = status
    .in('conditions')
    .items()
    .find((one) => one.in('type').text() === 'PodScheduled' && one.in('status').text() === 'False');
  const isLeaving = !pod.in('metadata', 'deletionTimestamp').isAbsent;
  const reason = isLeaving ? 'it ends' : (wordsOf(waiting) ?? wordsOf(unscheduled) ?? wordsOf(status));
  return {
    ...{ pod: pod.in('metadata', 'name').text(), role, reason },
    image: pod.in('spec', 'containers').items()[0]?.in('image').textOr('') ?? '',
    machine: pod.in('spec', 'nodeName').textOr(''),
    phase: status.in('phase').textOr('Unknown'),
    ready: container?.in('ready').flagOr(false) === true,
    restarts: container?.in('restartCount').integerOr(0) ?? 0,
    isStuck: STUCK.includes(waiting?.in('reason').textOr('') ?? ''),
    failure: failureIn(container?.in('lastState', 'terminated', 'message').textOr('') ?? ''),
  };
}

/** The error that `run --json` printed last: the kubelet keeps the end of the log of a container that ended with one. */
function failureIn(message: string): NectarError | undefined {
  for (const line of message.trim().split('\n').toReversed()) {
    try {
      const { error } = JSON.parse(line) as { error?: { code?: unknown; data?: unknown } };
      if (typeof error?.code === 'string') return knownError(error.code, error.data);
    } catch {
      // Not JSON: the line before may be.
    }
  }
  return undefined;
}

function wordsOf(document: Document | undefined): string | undefined {
  if (document === undefined || document.isAbsent) return undefined;
  const words = [document.in('reason').textOr(''), document.in('message').textOr('')].filter((text) => text !== '');
  return words.length === 0 ? undefined : words.join(': ').slice(0, MAX_REASON_CHARS);
}

/** The first pod that does not start, with its own reason or the cluster's; undefined while there is hope. */
export function findPodFailure(pods: readonly PodState[]): NectarError | undefined {
  const stuck = pods.find(({ isStuck }) => isStuck);
  if (stuck === undefined) return undefined;
  const reason = stuck.reason ?? 'it does not say why';
  return stuck.failure ?? new NectarError('CLUSTER_POD_FAILED', { pod: stuck.pod, reason });
}
