import Dockerode from 'dockerode';
import type { EngineAddress } from './engine-address.ts';
import { createCalls } from './engine-calls.ts';
import { type Containers, createContainers } from './engine-containers.ts';
import { type EngineFacts, readFacts } from './engine-facts.ts';
import {
  createImages,
  createNetworks,
  createVolumes,
  type Images,
  type Networks,
  type Volumes,
} from './engine-storage.ts';

/**
 * The Docker Engine API (Docker's own or Podman's), as narrow as we use it. `find` returns undefined for what does not exist;
 * everything else throws CLI_ENGINE_UNREACHABLE, CLI_ENGINE_REFUSED, CLI_ENGINE_PORT_TAKEN or NODE_DISK_FULL. Every call ends: by
 * the engine's signal or by a time limit.
 */
export interface Engine {
  /** `unix:///var/run/docker.sock` */
  readonly url: string;
  readonly containers: Containers;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly images: Images;
  /** @throws NectarError also CLI_ENGINE_TOO_OLD */
  facts(): Promise<EngineFacts>;
  /** The same engine under another signal: an undo must end although the first signal was aborted. */
  withSignal(signal: AbortSignal): Engine;
}

/** Connects at the first call. */
export function createEngine(address: EngineAddress, signal: AbortSignal): Engine {
  const calls = createCalls(new Dockerode(connection(address)), address.url, signal);
  return {
    url: address.url,
    containers: createContainers(calls),
    volumes: createVolumes(calls),
    networks: createNetworks(calls),
    images: createImages(calls, address.url),
    facts: () => readFacts(calls, address.url),
    withSignal: (other) => createEngine(address, other),
  };
}

/** Everything is said explicitly: dockerode would otherwise fill in from the environment, which --engine must outweigh. */
function connection(address: EngineAddress): Dockerode.DockerOptions {
  if (address.kind === 'unix')
    return { socketPath: address.socketPath, host: undefined, port: undefined, protocol: 'http' };
  const { host, port, tls } = address;
  return tls === undefined ? { host, port, protocol: 'http' } : { host, port, protocol: 'https', ...tls };
}
