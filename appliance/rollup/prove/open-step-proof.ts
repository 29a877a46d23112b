import type { StepWitness } from '../../../machine/tracer/types.ts';
import { type HashedMemory, MEMORY_LEVELS } from '../../../protocol/dispute/memory.ts';
import { encodeOpening, witnessOf } from '../../../protocol/dispute/step-witness.ts';

const LEAF_MASK = ~15;
/** Of a leaf that the step does not touch, since it is a fault: nobody looks at it. */
const UNTOUCHED = { leaf: 0n, path: Array.from({ length: MEMORY_LEVELS }, () => 0n) };

/** What OpenStepVerifier takes for a step: it executes it anew from the leaves that the tracer opened. */
export function openStepProof({ pre, registers, pc, memoryRoot, leaves }: StepWitness): Uint8Array {
  const at = (address: number) => leaves.find((opened) => opened.address === (address & LEAF_MASK) >>> 0) ?? UNTOUCHED;
  const memory: HashedMemory = {
    leafAt: (address) => at(address).leaf,
    pathTo: (address) => at(address).path,
    root: () => memoryRoot,
    setLeaf: () => {
      throw new RangeError('the state before a step is not written to');
    },
  };
  const { input, output, flag } = pre;
  return encodeOpening(witnessOf({ registers, pc, memory, input, output, flag }));
}
