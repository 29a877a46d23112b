import { statSync } from 'node:fs';
import { findOwnBindings } from '../../hardening/collectors/bindings.ts';
import { createFolderPlace } from '../../hardening/collectors/folder-place.ts';
import { createLocalProcessCollector } from '../../hardening/collectors/process/processes.ts';
import { readRunning } from '../provision/process/running.ts';
import { VERSION } from '../version.ts';
import type { OpenCollectors } from './open-collectors.ts';
import { openNodeApi } from './sources/node-api.ts';
import { describeNode, expectedListeners, type NodeSource, nodeCollectors, nothingOf } from './sources/node-source.ts';

const NOT_HERE = [
  nothingOf(['container', 'image', 'volume', 'network', 'engine'], 'this node is one process: it has no containers', [
    'node.rolesMissing',
    'node.homeGuests',
    'node.keyFileGuests',
  ]),
  nothingOf(['workload', 'cluster'], 'this node is not in Kubernetes'),
];

/** A node in one process of this machine, everything of it below its home. */
export async function composeProcess(source: NodeSource): Promise<OpenCollectors> {
  const { call, config } = source;
  const { home } = call;
  const running = readRunning(home);
  const gateway = running?.gateway;
  const api = gateway === undefined ? undefined : openNodeApi(home, gateway);
  // Whoever runs it may own its files, and nobody else.
  const owner = statSync(running === undefined ? home : `/proc/${running.pid}`).uid;
  const node = await nodeCollectors(source, {
    ...{ target: 'process', running: running !== undefined, version: VERSION, api, dataFolder: home },
    ...{ engineFolder: undefined, inMemory: [], keyFileOwners: [owner] },
    places: { home: createFolderPlace({ name: 'home', folder: home, owners: [owner] }), volumes: undefined },
    listeners: expectedListeners(config, {
      gateway: gateway === undefined ? undefined : new URL(gateway),
      p2pPort: config?.p2p.listenPort ?? 0,
    }),
    findBindings: findOwnBindings,
  });
  return {
    node: describeNode(source, 'process'),
    collectors: [...node, createLocalProcessCollector({ pid: running?.pid, role: 'all' }), ...NOT_HERE],
    close: async () => api?.close(),
  };
}
