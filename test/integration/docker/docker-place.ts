import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createEngine, type Engine } from '../../../cli/provision/docker/engine.ts';
import { engineAddress } from '../../../cli/provision/docker/engine-address.ts';
import { removeNode } from '../../../cli/provision/docker/remove-node.ts';
import { nodeLabel } from '../../../cli/provision/docker/role-table.ts';
import { findTarget } from '../../../cli/provision/docker/target-file.ts';
import { findFreePort } from '../../../cli/provision/process/free-port.ts';
import { Workplace } from '../../e2e/workplace.ts';

const IMAGES = fileURLToPath(new URL('../../../scripts/images.ts', import.meta.url));
const BUILD_TIMEOUT_MS = 300_000;

export const DOCKER_SOCKET = (process.env.DOCKER_HOST ?? '/var/run/docker.sock').replace(/^unix:\/\//, '');

/** Why a test cannot run here. In CI nothing may skip: there it runs, and fails. */
export function reasonToSkip(available: boolean, what: string): string | false {
  return available || process.env.CI === 'true' ? false : `${what} is not on this machine`;
}

export const skipWithoutDocker = reasonToSkip(existsSync(DOCKER_SOCKET), 'a container engine');

export function openTestEngine(socket: string): Engine {
  return createEngine(engineAddress(socket, {}), new AbortController().signal);
}

/** Assembles the images of this very source and loads them. */
export function loadImages(socket: string): void {
  execFileSync(process.execPath, [IMAGES, 'build', '--engine', socket], { stdio: 'pipe', timeout: BUILD_TIMEOUT_MS });
}

/** A folder with a devnet and nodes in containers; at its end nothing of them is left on the engine. */
export class DockerPlace extends Workplace {
  readonly socket: string;
  readonly engine: Engine;
  readonly #nodes = new Set<string>();

  constructor(socket: string) {
    super();
    this.socket = socket;
    this.engine = openTestEngine(socket);
  }

  async init(home: string, more: readonly string[] = []): Promise<{ nodeId: string; gateway: string }> {
    // Ports that no other test on this machine looks for in the meantime.
    const [port, p2pPort] = [
      String(await findFreePort(randomInt(20_000, 26_000))),
      String(await findFreePort(randomInt(26_000, 32_000))),
    ];
    const chosen = ['--port', port, '--p2p-port', p2pPort];
    return this.json([
      'init',
      '--target',
      'docker',
      '--engine',
      this.socket,
      '--yes',
      '--home',
      home,
      ...chosen,
      ...more,
    ]);
  }

  /** Names of all objects on the engine that bear the node's label. */
  async objectsOf(nodeId: string): Promise<string[]> {
    const label = [nodeLabel(nodeId)];
    const containers = await this.engine.containers.list(label);
    const volumes = await this.engine.volumes.list(label);
    const networks = await this.engine.networks.list(label);
    return [
      ...containers.map(({ Names }) => Names[0] ?? ''),
      ...volumes.map(({ Name }) => Name),
      ...networks.map(({ Name }) => Name),
    ];
  }

  /** Of a container that runs: 0 would be this very process group to a signal. */
  async pidOf(container: string): Promise<number> {
    const pid = (await this.engine.containers.find(container))?.State.Pid ?? 0;
    if (pid <= 1) throw new Error(`${container} does not run`);
    return pid;
  }

  /** Whatever a failed test left. */
  async close(homes: readonly string[]): Promise<void> {
    for (const home of homes) {
      const target = findTarget(home);
      if (target !== undefined) this.#nodes.add(target.nodeId);
    }
    for (const nodeId of this.#nodes) {
      const say = (): undefined => undefined;
      await removeNode(this.engine, { nodeId, version: '0', storeImage: 'none', say }).catch(() => undefined);
    }
    await this.run(['devnet', 'down']);
    this.remove();
  }
}
