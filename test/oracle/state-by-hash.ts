import type { Hex } from '../../protocol/brand.ts';

/**
 * All that the state transition knows of the world: preimages by Keccak-256 hash. Trie nodes, contract code and block headers
 * alike. A dispute replays a transition over this one interface, so nothing else may ever be read.
 */
export interface StateByHash {
  /** The bytes whose Keccak-256 is `hash`; undefined when they are not there (the transition then throws). */
  get(hash: Hex): Promise<Uint8Array | undefined>;
  /** Remembers a new preimage. Called only for what the new state reaches. */
  put(hash: Hex, bytes: Uint8Array): Promise<void>;
}

/** A StateByHash in memory, over another one when given: reads fall through, writes stay. `written` is what was put. */
export interface MemoryState extends StateByHash {
  readonly written: ReadonlyMap<Hex, Uint8Array>;
}

export function createMemoryState(base?: Pick<StateByHash, 'get'>): MemoryState {
  const written = new Map<Hex, Uint8Array>();
  return {
    written,
    async get(hash) {
      return written.get(hash) ?? base?.get(hash);
    },
    async put(hash, bytes) {
      written.set(hash, bytes);
    },
  };
}
