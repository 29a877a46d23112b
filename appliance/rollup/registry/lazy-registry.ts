import type { NodeRegistry } from './node-registry.ts';

/** Each call throws NODE_NOT_READY before the node has started. */
export function lazyRegistry(get: () => NodeRegistry): NodeRegistry {
  return {
    isAuthorized: async (peerId) => get().isAuthorized(peerId),
    members: async () => get().members(),
    listed: async () => get().listed(),
    entry: async (nodeId) => get().entry(nodeId),
    pending: async () => get().pending(),
    find: async (peerId, owner) => get().find(peerId, owner),
    holder: async (peerId) => get().holder(peerId),
  };
}
