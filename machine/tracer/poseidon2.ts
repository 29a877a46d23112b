/** The memory's hash in WebAssembly: machine/poseidon2, six times as fast as the one of protocol/dispute, and equal to it. */
import { NectarError } from '../../protocol/errors.ts';
import { POSEIDON2_SHA256 } from '../generated/digest.ts';
import type { Sha256 } from '../host/load.ts';
import { type WasmMemory, type WasmModule, WebAssembly } from '../host/web-assembly.ts';

/** Nodes are 32 bytes, little endian. */
export type NodeBytes = Uint8Array;

export interface PagePath {
  readonly root: NodeBytes;
  /** The 8 siblings of one leaf, the lowest first. */
  readonly siblings: readonly NodeBytes[];
}

export interface Poseidon2 {
  /** Of a page of 4,096 bytes, and of the leaf with this index. */
  hashPage(page: Uint8Array, leaf: number): PagePath;
  /** The node above each pair. */
  hashPairs(pairs: readonly (readonly [NodeBytes, NodeBytes])[]): NodeBytes[];
}

interface Exports {
  readonly memory: WasmMemory;
  room(): number;
  hash_page(leaf: number): void;
  hash_pairs(count: number): void;
}

const NODE_BYTES = 32;
const PAGE_LEVELS = 8;
const MAX_PAIRS = 1_024;

/** Compiles the bytes of poseidon2.wasm. Throws ROLLUP_MACHINE_INVALID when they are not those of this version. */
export function compilePoseidon2(bytes: Uint8Array, sha256: Sha256): WasmModule {
  const digest = sha256(bytes);
  if (digest !== POSEIDON2_SHA256)
    throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: `the SHA-256 of poseidon2.wasm is ${digest}` });
  return new WebAssembly.Module(bytes);
}

export function createPoseidon2(module: WasmModule): Poseidon2 {
  const exports = new WebAssembly.Instance(module, {}).exports as Exports;
  const at = exports.room();
  const room = new Uint8Array(exports.memory.buffer, at);
  const node = (index: number): NodeBytes => room.slice(NODE_BYTES * index, NODE_BYTES * (index + 1));
  return {
    hashPage(page, leaf) {
      room.set(page);
      exports.hash_page(leaf);
      return { root: node(0), siblings: Array.from({ length: PAGE_LEVELS }, (_, level) => node(1 + level)) };
    },
    hashPairs(pairs) {
      const above: NodeBytes[] = [];
      for (let from = 0; from < pairs.length; from += MAX_PAIRS) {
        const some = pairs.slice(from, from + MAX_PAIRS);
        some.forEach(([left, right], index) => {
          room.set(left, 2 * NODE_BYTES * index);
          room.set(right, NODE_BYTES * (2 * index + 1));
        });
        exports.hash_pairs(some.length);
        for (let index = 0; index < some.length; index += 1) above.push(node(index));
      }
      return above;
    },
  };
}
