import { createNamespace, get, kubectl } from './cluster.ts';
import { type Pod, type Release, ROLES, type Role } from './release.ts';

const CONNECT_MS = 3_000;
const PORTS: Readonly<Record<Role, readonly number[]>> = {
  audit: [7403],
  store: [7402],
  rollup: [7404, 4640],
  gateway: [8443, 9464],
};

/** A pod of another namespace that no policy holds: what it reaches is there, and what it does not is guarded. */
export interface Stranger {
  readonly namespace: string;
  readonly pod: string;
  readonly ip: string;
}

const LISTEN_PORT = 9000;
const LISTEN = `require('node:net').createServer((s) => s.on('error', () => {})).listen(${LISTEN_PORT})`;

export async function startStranger(namespace: string): Promise<Stranger> {
  await createNamespace(namespace);
  const pod = 'stranger';
  const image = 'nectar-byon-gateway:0.1.0';
  const container = { name: pod, image, imagePullPolicy: 'Never', command: ['/nodejs/bin/node', '-e', LISTEN] };
  const object = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace } },
    spec: { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers: [container] },
  };
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  await kubectl(['-n', namespace, 'wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=300s']);
  const { status } = await get<Pod>(namespace, 'pod', pod);
  return { namespace, pod, ip: status.podIP ?? '' };
}

/** A program that says which of its targets take a connection. */
const program = (targets: Readonly<Record<string, string>>): string => `
const { connect } = require('node:net');
const targets = ${JSON.stringify(targets)};
const reached = (target) => new Promise((resolve) => {
  const at = target.lastIndexOf(':');
  const socket = connect({ host: target.slice(0, at), port: Number(target.slice(at + 1)) });
  const settle = (value) => { socket.destroy(); resolve(value); };
  socket.setTimeout(${CONNECT_MS}, () => settle(false));
  socket.once('connect', () => settle(true));
  socket.once('error', () => settle(false));
});
Promise.all(Object.entries(targets).map(async ([name, target]) => (await reached(target)) && name))
  .then((names) => console.log(JSON.stringify(names.filter(Boolean).sort())));`;

interface Ground {
  readonly address: string;
  /** Of L1 and the sequencer on the machine. */
  readonly ports: readonly number[];
  readonly stranger: Stranger;
}

/** From a pod of each role, and from a stranger, everything is tried: the roles, the API server, the kubelet, L1, the stranger. */
export async function connectionsOf(release: Release, { address, ports, stranger }: Ground) {
  const targets: Record<string, string> = {
    'API server': '10.96.7.1:443',
    kubelet: `${address}:27250`,
    stranger: `${stranger.ip}:${LISTEN_PORT}`,
  };
  for (const port of ports) targets[`chain ${port}`] = `${address}:${port}`;
  for (const role of ROLES) {
    const [pod] = await release.pods(role);
    for (const port of PORTS[role]) targets[`${role} ${port}`] = `${pod?.status.podIP}:${port}`;
  }
  const chain = ports.map((port) => `chain ${port}`);
  const expected: Record<string, readonly string[]> = {
    audit: [],
    store: ['audit 7403'],
    rollup: ['audit 7403', 'store 7402', ...chain].sort(),
    gateway: ['audit 7403', 'rollup 7404', 'store 7402'],
    stranger: ['API server', 'gateway 8443', 'kubelet', 'rollup 4640', 'stranger', ...chain].sort(),
  };
  const tried = ROLES.map(async (role) => {
    const [pod] = await release.pods(role);
    // What it has itself is no crossing.
    const others = Object.fromEntries(Object.entries(targets).filter(([name]) => !name.startsWith(`${role} `)));
    return [role, JSON.parse(await release.runIn(pod?.metadata.name ?? '', program(others)))] as const;
  });
  const of: Record<string, readonly string[]> = Object.fromEntries(await Promise.all(tried));
  const args = ['-n', stranger.namespace, 'exec', stranger.pod, '--', '/nodejs/bin/node', '-e', program(targets)];
  of.stranger = JSON.parse((await kubectl(args)).stdout);
  return { of, expected };
}
