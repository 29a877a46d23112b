import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type Check, gradeDisk } from '../preflight.ts';
import { containerStatus } from '../provision/docker/container-status.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { findLostVolumes } from '../provision/docker/kept-volumes.ts';
import { type DockerNode, readDockerNode } from '../provision/docker/node-spec.ts';
import { openEngine } from '../provision/docker/open-engine.ts';
import { checkCgroups, checkEngine, checkEngineClock, checkStorage } from '../provision/docker/preflight-docker.ts';
import type { Terminal } from '../terminal.ts';
import { checkContainers, checkImageAge, checkVolumes } from './check-containers.ts';
import { engineFreeBytes } from './upgrade/check-upgrade.ts';

const CONNECT_MS = 5_000;

/** What the engine says of a node's containers, graded. @throws NectarError CLI_ENGINE_UNREACHABLE */
export async function examineContainers(home: string, terminal: Terminal): Promise<Check[]> {
  const node = readDockerNode(home);
  const engine = openEngine(terminal, node.target.engine);
  const facts = await engine.facts();
  const free = await engineFreeBytes(engine);
  const state = desiredState(node.spec);
  return [
    checkEngine(facts, engine.url),
    checkStorage(facts),
    checkCgroups(facts),
    checkEngineClock(facts, terminal.now()),
    ...(free === undefined ? [] : [{ ...gradeDisk(free), name: 'engine disk' }]),
    checkVolumes(await findLostVolumes(engine, state)),
    ...checkContainers(await containerStatus(engine, state)),
    checkImageAge(await imageDates(engine, node), terminal.now()),
  ];
}

async function imageDates(engine: Engine, { target }: DockerNode): Promise<number[]> {
  const images = await Promise.all(Object.values(target.images).map((id) => engine.images.find(id)));
  return images.flatMap((image) => (image === undefined ? [] : [Date.parse(image.Created)]));
}

/** The certificate that a gateway shows, as PEM, to who asks by a name: in containers its file is in a volume. undefined when nothing answers. */
export function servedCertificate(home: string, gateway: string, servername?: string): Promise<string | undefined> {
  const { hostname, port } = new URL(gateway);
  const ca = readFileSync(join(home, 'tls', 'ca.crt'));
  // An expired one is what we look for, so it is looked at rather than trusted.
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
  const options = { ...to, ca, rejectUnauthorized: false, ...(servername !== undefined && { servername }) };
  return new Promise((resolve) => {
    const socket = connect(options, () => {
      const pem = socket.getPeerX509Certificate()?.toString();
      socket.destroy();
      resolve(pem);
    });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('silent')));
    socket.on('error', () => resolve(undefined));
  });
}
