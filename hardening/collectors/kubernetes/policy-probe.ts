import type { ClusterApi } from './cluster-api.ts';
import type { KubeObject } from './manifests.ts';
import { containersOf, podsOf } from './pods.ts';

/** The connections that a node of this program makes between its pods; every other one must be refused. */
export interface Crossings {
  /** The program in the images that runs JavaScript. */
  readonly nodeBinary: string;
  /** TCP port on which each role listens. */
  readonly ports: Readonly<Record<string, number>>;
  /** Which role may reach which. */
  readonly allowed: readonly (readonly [from: string, to: string])[];
}

interface Aim {
  readonly role: string;
  readonly host: string;
  readonly port: number;
}

const CONNECT_MS = 2_000;
const MAX_ANSWER_CHARS = 16 * 1024;
const API_SERVER = 'the API server';

/** Runs in a pod: which of the places, as JSON in its first argument, accept a connection. */
const PROGRAM = `
const { connect } = require('node:net');
const { env, argv } = process;
const places = JSON.parse(argv[1]);
if (env.KUBERNETES_SERVICE_HOST) places.push([env.KUBERNETES_SERVICE_HOST, Number(env.KUBERNETES_SERVICE_PORT)]);
Promise.all(places.map(([host, port]) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: ${CONNECT_MS} });
  const end = (is) => { socket.destroy(); resolve(is); };
  socket.once('connect', () => end(true)).once('error', () => end(false)).once('timeout', () => end(false));
}))).then((reached) => console.log(JSON.stringify(reached)));
`;

/**
 * Tries from inside one pod of every role to reach every other role and the API server. What is no crossing and is accepted is
 * returned.
 *
 * @throws where no crossing was accepted either: then a refusal says nothing of the policies
 */
export async function reachedDespitePolicy(
  pods: readonly KubeObject[],
  crossings: Crossings,
  { api, signal }: { readonly api: ClusterApi; readonly signal: AbortSignal },
): Promise<string[]> {
  const running = podsOf(pods).filter(({ owner }) => addressOf(owner) !== '');
  const aims = running.flatMap(({ role, owner }): Aim[] => {
    const port = crossings.ports[role];
    return port === undefined ? [] : [{ role, host: addressOf(owner), port }];
  });
  const tried: { readonly from: string; readonly to: string; readonly reached: boolean }[] = [];
  for (const from of new Set(aims.map(({ role }) => role))) {
    const pod = running.find(({ role }) => role === from);
    const container = pod === undefined ? undefined : containersOf(pod)[0]?.name;
    if (pod === undefined || container === undefined) continue;
    const others = aims.filter(({ role }) => role !== from);
    const places = JSON.stringify(others.map(({ host, port }) => [host, port]));
    const command = [crossings.nodeBinary, '-e', PROGRAM, places];
    const reached = parseReached(await api.execute({ pod: pod.owner.name, container }, command, signal));
    const names = [...others.map(({ role }) => role), API_SERVER];
    for (const [index, to] of names.entries()) tried.push({ from, to, reached: reached[index] === true });
  }
  const isCrossing = ({ from, to }: { from: string; to: string }): boolean =>
    crossings.allowed.some(([one, other]) => one === from && other === to);
  const strays = tried.filter((one) => one.reached && !isCrossing(one)).map(({ from, to }) => `${from} to ${to}`);
  if (strays.length > 0) return strays;
  const untried = Object.keys(crossings.ports).filter((role) => !aims.some((aim) => aim.role === role));
  if (untried.length > 0) throw new Error(`no pod of ${untried.join(', ')} runs, to try from and to`);
  if (!tried.some((one) => one.reached && isCrossing(one)))
    throw new Error('no crossing of the node was accepted either: the refusals say nothing of the policies');
  return [];
}

function addressOf({ document }: KubeObject): string {
  const isRunning = document
    .in('status', 'containerStatuses')
    .items()
    .some((container) => !container.in('state', 'running').isAbsent);
  return isRunning ? document.in('status', 'podIP').textOr('') : '';
}

function parseReached(text: string): readonly unknown[] {
  if (text.length > MAX_ANSWER_CHARS) throw new Error('the probe in the pod wrote too much');
  const answer: unknown = JSON.parse(text);
  if (!Array.isArray(answer)) throw new Error('the probe in the pod answered no list');
  return answer;
}
