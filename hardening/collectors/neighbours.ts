import { findContainers } from './container/containers.ts';
import { openDocument } from './document.ts';
import type { EngineApi, EngineNode } from './engine-api.ts';

/** A container of this engine, the node's or another's, as lists show it. */
export interface Neighbour {
  readonly name: string;
  /** Undefined: it is none of the node's. */
  readonly role: string | undefined;
  readonly mounts: readonly {
    /** Empty for a folder of the host. */
    readonly volume: string;
    readonly source: string;
    readonly writable: boolean;
  }[];
  readonly networks: readonly string[];
}

/** Every container on the engine, running or not: who shares a place with the node. */
export async function listNeighbours(api: EngineApi, node: EngineNode, signal: AbortSignal): Promise<Neighbour[]> {
  const roles = new Map((await findContainers(api, node, signal)).map(({ id, role }) => [id, role]));
  const all = openDocument(await api.getJson('/containers/json?all=true', signal)).items();
  return all.map((item) => ({
    name: (item.in('Names').texts()[0] ?? item.in('Id').text()).replace(/^\//, ''),
    role: roles.get(item.in('Id').text()),
    mounts: item
      .in('Mounts')
      .items()
      .map((mount) => ({
        volume: mount.in('Type').text() === 'volume' ? mount.in('Name').text() : '',
        source: mount.in('Source').textOr(''),
        writable: mount.in('RW').flag(),
      })),
    networks: item.in('NetworkSettings', 'Networks').keys(),
  }));
}

/** Roles of those of the node that hold, and names of all others that hold. */
export function split(
  neighbours: readonly Neighbour[],
  holds: (neighbour: Neighbour) => boolean,
): { readonly roles: string[]; readonly foreign: string[] } {
  const found = neighbours.filter(holds);
  return {
    roles: found.flatMap(({ role }) => role ?? []),
    foreign: found.filter(({ role }) => role === undefined).map(({ name }) => name),
  };
}
