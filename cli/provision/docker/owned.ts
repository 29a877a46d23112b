import { NectarError } from '../../../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { LABELS } from './role-table.ts';

type Labels = Readonly<Record<string, string>> | null | undefined;

/** What of a name exists, and only if it is this node's. @throws NectarError CLI_ENGINE_NAME_TAKEN */
export interface Owned {
  container(name: string): Promise<Awaited<ReturnType<Engine['containers']['find']>>>;
  volume(name: string): Promise<boolean>;
  network(name: string): Promise<boolean>;
}

/** The one gate to objects of an engine: whatever does not bear our node's label is somebody else's, whatever its name. */
export function ownedBy(nodeId: string, engine: Engine): Owned {
  const check = (kind: string, name: string, labels: Labels): true => {
    if (labels?.[LABELS.node] === nodeId) return true;
    throw new NectarError('CLI_ENGINE_NAME_TAKEN', { kind, name });
  };
  return {
    async container(name) {
      const found = await engine.containers.find(name);
      if (found !== undefined) check('container', name, found.Config.Labels);
      return found;
    },
    async volume(name) {
      const found = await engine.volumes.find(name);
      return found !== undefined && check('volume', name, found.Labels);
    },
    async network(name) {
      const found = await engine.networks.find(name);
      // Engines find networks by a prefix of their id too.
      return found !== undefined && found.Name === name && check('network', name, found.Labels);
    },
  };
}
