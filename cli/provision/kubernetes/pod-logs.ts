import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { NectarError } from '../../../protocol/errors.ts';
import type { LogTail } from '../../render/log-line.ts';
import type { Terminal } from '../../terminal.ts';
import { requireClusterTarget } from './cluster-target.ts';
import { kubectlError } from './kubectl.ts';
import { openKubectl } from './open-kubectl.ts';
import { readPods } from './pod-states.ts';

export interface PodLine {
  /** Of the role that says it. */
  readonly role: string;
  readonly line: string;
}

/** When a line was said: the kubelet's time in front of it. */
const STAMP = /^(\S+Z) (.*)$/;
const SAFETY_COMPLAINT_CHARS = 4096;

/** The last lines of all pods, by the time at which each was said. */
export async function readPodLogs(home: string, { lines, since }: LogTail, terminal: Terminal): Promise<PodLine[]> {
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  const pods = await readPods(kubectl, target);
  if (pods.length === 0)
    throw new NectarError('CLUSTER_RELEASE_MISSING', { namespace: target.namespace, release: target.release });
  const wanted = since === undefined ? [`--tail=${lines}`] : [`--since-time=${new Date(since).toISOString()}`];
  const all: (PodLine & { readonly at: string })[] = [];
  for (const { pod, role } of pods) {
    const text = await kubectl
      .run(['logs', pod, ...wanted, '--timestamps'])
      // A pod that has not started yet has said nothing.
      .catch((error: NectarError) => {
        if (error.code === 'CLUSTER_REFUSED') return '';
        throw error;
      });
    for (const stamped of text.split('\n')) {
      const [, at, line] = STAMP.exec(stamped) ?? [];
      if (at !== undefined && line !== undefined) all.push({ at, role, line });
    }
  }
  return all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-lines);
}

/** Shows lines as the pods say them, until the command is interrupted. */
export async function followPodLogs(home: string, show: (line: PodLine) => void, terminal: Terminal): Promise<void> {
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  const pods = await readPods(kubectl, target);
  const follow = ({ pod, role }: (typeof pods)[number]): Promise<void> =>
    new Promise((resolve, reject) => {
      const args = [...kubectl.argv, 'logs', pod, '--follow', '--tail=0'];
      const child = spawn('kubectl', args, {
        ...{ env: { ...kubectl.env }, stdio: ['ignore', 'pipe', 'pipe'], signal: terminal.signal },
      });
      let stderr = '';
      createInterface({ input: child.stdout }).on('line', (line) => show({ role, line }));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (stderr.length < SAFETY_COMPLAINT_CHARS) stderr += text;
      });
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0 || terminal.signal.aborted) resolve();
        else
          reject(kubectlError({ code, stdout: '', stderr }, { doing: 'kubectl logs', context: target.context ?? '' }));
      });
    });
  await Promise.all(pods.map(follow));
}
