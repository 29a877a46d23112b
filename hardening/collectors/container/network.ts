import type { Observation } from '../../fact-set.ts';
import type { Document } from '../document.ts';
import { observe } from '../observe.ts';
import type { Inspected } from './inspected.ts';
import { withoutPrefix } from './places.ts';

const FIRST_UNPRIVILEGED_PORT = 1024;

type NetworkFact = `container.${
  | 'hostNetwork'
  | 'networks'
  | 'onDefaultBridge'
  | 'publishedPorts'
  | 'exposedPorts'
  | 'privilegedHostPorts'
  | 'allInterfacePorts'}`;

export interface Published {
  readonly address: string;
  /** Undefined where the engine takes any that is free, and has not yet. */
  readonly hostPort: number | undefined;
  /** `8443/tcp` */
  readonly port: string;
}

/** Where a container can be reached from, and what it can reach. */
export function networkFacts({ document, node }: Inspected): Record<NetworkFact, Observation> {
  const mode = (): string => document.in('HostConfig', 'NetworkMode').text();
  const published = (): Published[] => publishedOf(document);
  const hostPorts = (holds: (port: Published) => boolean): Observation =>
    observe(() =>
      published()
        .filter(holds)
        .map(({ hostPort }) => String(hostPort ?? 'any')),
    );
  return {
    'container.hostNetwork': observe(() => mode() === 'host'),
    'container.networks': observe(() => networksOf(document, mode()).map((name) => withoutPrefix(name, node.prefix))),
    'container.onDefaultBridge': observe(() =>
      networksOf(document, mode()).some((name) => name === 'bridge' || name === 'podman'),
    ),
    'container.publishedPorts': observe(() =>
      published().map(({ address, hostPort, port }) => `${address}:${hostPort ?? 'any'}->${port}`),
    ),
    'container.exposedPorts': observe(() => document.in('Config', 'ExposedPorts').keys()),
    'container.privilegedHostPorts': hostPorts(
      ({ hostPort }) => hostPort !== undefined && hostPort < FIRST_UNPRIVILEGED_PORT,
    ),
    'container.allInterfacePorts': hostPorts(({ address }) => isAllInterfaces(address)),
  };
}

export function isAllInterfaces(address: string): boolean {
  return address === '' || address === '0.0.0.0' || /^\[?[0:]*::[0:]*\]?$/.test(address);
}

function networksOf(document: Document, mode: string): string[] {
  if (mode === 'none') return [];
  const joined = document.in('NetworkSettings', 'Networks').keys();
  if (joined.length > 0) return joined;
  return [mode === '' || mode === 'default' ? 'bridge' : mode];
}

/** What was asked for, and what is in force while it runs (a port that the engine chose, or that came with PublishAllPorts). */
function publishedOf(document: Document): Published[] {
  const asked = bindings(document.in('HostConfig', 'PortBindings'));
  const inForce = bindings(document.in('NetworkSettings', 'Ports'));
  const all = [...asked.filter(({ hostPort }) => hostPort !== undefined || inForce.length === 0), ...inForce];
  const unique = new Map(all.map((one) => [`${one.address} ${one.hostPort} ${one.port}`, one]));
  return [...unique.values()];
}

function bindings(ports: Document): Published[] {
  return ports.entries().flatMap(([port, hosts]) =>
    hosts.items().map((host) => {
      const hostPort = Number(host.in('HostPort').textOr('')) || undefined;
      // An address that is left out is the daemon's `ip` setting: every interface unless somebody changed that.
      return { address: host.in('HostIp').textOr('') || '0.0.0.0', hostPort, port };
    }),
  );
}
