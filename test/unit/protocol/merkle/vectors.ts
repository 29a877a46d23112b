import { readFileSync } from 'node:fs';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Vectors made by Go's x/mod/sumdb; see test/vectors/merkle/README.md. */
export interface TlogVectors {
  roots: { size: number; root: string }[];
  inclusion: { size: number; index: number; path: string[] }[];
  consistency: { first: number; second: number; path: string[] }[];
  tiles70000: { level: number; n: number; w: number; path: string; first: string; last: string }[];
  paths: { level: number; n: number; w: number; path: string }[];
  note: {
    seed: string;
    name: string;
    vkey: string;
    otherVkey: string;
    otherSeed: string;
    text: string;
    signed: string;
    signedByBoth: string;
  };
  argon2020: {
    size: number;
    root: string;
    index: number;
    leafHash: string;
    path: string[];
    firstSize: number;
    firstRoot: string;
    consistency: string[];
  };
}

export const VECTORS = JSON.parse(
  readFileSync(new URL('../../../vectors/merkle/tlog.json', import.meta.url), 'utf8'),
) as TlogVectors;

/** Leaf `index` of the vectors' tree. */
export function vectorLeaf(index: number): Uint8Array {
  return utf8ToBytes(`nectar leaf ${index}`);
}

export function vectorRoot(size: number): Uint8Array {
  const found = VECTORS.roots.find((entry) => entry.size === size);
  if (found === undefined) throw new Error(`no vector for size ${size}`);
  return hexToBytes(found.root);
}
