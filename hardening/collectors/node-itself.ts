import { parseDescriptor } from '../../protocol/network/descriptor.ts';
import type { Collector } from './collector.ts';
import type { NodeSettings } from './node-settings.ts';
import { observe } from './observe.ts';

export interface NodeItself {
  readonly target: 'process' | 'docker' | 'kubernetes';
  readonly state: 'running' | 'stopped' | 'rendered';
  readonly version: string;
  readonly settings: Pick<NodeSettings, 'descriptor'>;
}

/** The one subject of kind `node`. It looks at nothing that may not be seen: whatever else is known of the node, others add. */
export function createNodeCollector({ target, state, version, settings }: NodeItself): Collector {
  return {
    name: 'node',
    kinds: ['node'],
    privilege: 'read access to the network descriptor of the node',
    async collect() {
      const descriptor = () => openDescriptor(settings.descriptor);
      const facts = {
        'node.target': observe(() => target),
        'node.state': observe(() => state),
        'node.version': observe(() => version),
        'node.network': observe(() => descriptor().name),
        'node.development': observe(() => descriptor().devnet !== undefined),
        'node.descriptorSigned': observe(() => isSigned(settings.descriptor)),
      };
      return [{ kind: 'node', name: 'node', facts }];
    },
  };
}

/** @throws where there is none, or its signature does not hold */
export function openDescriptor(bytes: Uint8Array | undefined): ReturnType<typeof parseDescriptor>['descriptor'] {
  if (bytes === undefined) throw new Error('the network descriptor could not be read');
  return parseDescriptor(bytes).descriptor;
}

/** One that is not there is not seen; one that is there and does not verify is not signed. */
function isSigned(bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) throw new Error('the network descriptor could not be read');
  try {
    parseDescriptor(bytes);
    return true;
  } catch {
    return false;
  }
}
