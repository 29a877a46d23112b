/** The guest of disputes as it is committed, and runs of it on what the machine in WebAssembly was answered. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { DerivedStep } from '../../../../machine/host/derive.ts';
import { openDisputeImage } from '../../../../machine/tracer/image.ts';
import {
  type DisputeConfig,
  encodeConfig,
  type IterationPlace,
  openIteration,
} from '../../../../machine/tracer/iteration.ts';
import { compilePoseidon2, createPoseidon2 } from '../../../../machine/tracer/poseidon2.ts';
import { createTracer, type LocalTracer } from '../../../../machine/tracer/tracer.ts';
import { translateImage } from '../../../../machine/tracer/translate.ts';
import type { Iteration } from '../../../../machine/tracer/types.ts';
import type { Hex } from '../../../../protocol/brand.ts';
import { hexToBytes } from '../../../../protocol/rollup/bytes.ts';
import type { MemoryPreimages } from '../machine-fixture.ts';

const GENERATED = new URL('../../../../machine/generated/', import.meta.url);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const poseidonModule = compilePoseidon2(readFileSync(new URL('poseidon2.wasm', GENERATED)), sha256);
const guestImage = translateImage(openDisputeImage(readFileSync(new URL('dispute.elf', GENERATED)), sha256));

export function traceGuest(iteration: Iteration): LocalTracer {
  return createTracer({ image: guestImage, poseidon2: createPoseidon2(poseidonModule) }, iteration);
}

/** An iteration that has no more than what the machine asked for since `preimages.asked` was cleared. */
export function iterationOf(place: IterationPlace, config: DisputeConfig, preimages: MemoryPreimages): Iteration {
  const answers = [...preimages.asked.values()].map(({ kind, hash, bytes }) => ({
    kind,
    hash: hexToBytes(hash),
    bytes,
  }));
  return openIteration(place, { config, rollupConfig: rollupConfigOf(config), answers });
}

/** abi.encode(RollupConfig) whose other words are 1: the machine does not look at them. */
export function rollupConfigOf(config: DisputeConfig): Uint8Array {
  const words = new Uint8Array(7 * 32).fill(1);
  words.set(keccak_256(encodeConfig(config)));
  return words;
}

/** F(G) by the step of the machine in WebAssembly. */
export function after(place: IterationPlace, step: DerivedStep): IterationPlace {
  const next = step.next === undefined ? { batch: place.batch + 1n, offset: 0n } : { offset: step.next };
  return { ...place, ...next, blockHash: step.head, sendRoot: step.sendRoot };
}

export const ZERO: Hex = `0x${'00'.repeat(32)}`;
