/** One step with all that proves it: made by the oracle on a memory that writes down what is read and written. */
import { openState } from '../../protocol/dispute/machine-state.ts';
import type { HashedMemory } from '../../protocol/dispute/memory.ts';
import type { Read } from '../../protocol/dispute/step.ts';
import { openStep } from '../../protocol/dispute/step-opening.ts';
import type { Hart } from './hart.ts';
import type { TracedMemory } from './hashed-memory.ts';
import type { StepWitness, WitnessLeaf } from './types.ts';

interface Access {
  readonly address: number;
  readonly leaf: bigint;
  after: bigint;
}

export function witnessStep(
  hart: Hart,
  memory: TracedMemory,
  { input, preimageOf }: { readonly input: Uint8Array; readonly preimageOf: (read: Read) => Uint8Array | undefined },
): StepWitness {
  const before = { ...hart.state(), memory, input };
  const [pre, memoryRoot] = [openState(before), memory.root()];
  const opening = openStep(before);
  const { accesses, watched } = watch(memory);
  const start = memory.snapshot();
  const stepped = hart.stepOn(watched);
  const after = { ...hart.state(), memory, input };
  const [post, postMemoryRoot] = [openState(after), memory.root()];
  // Paths are under the root before the step.
  const [end, state] = [memory.snapshot(), hart.state()];
  memory.restore(start);
  const leaves: WitnessLeaf[] = accesses().map((access) => ({ ...access, path: memory.pathTo(access.address) }));
  memory.restore(end);
  hart.setState(state);
  const { read } = stepped;
  return {
    pre,
    post,
    registers: before.registers,
    pc: before.pc,
    memoryRoot,
    postRegisters: after.registers,
    postPc: after.pc,
    postMemoryRoot,
    leaves,
    opening,
    read,
    preimage: read === undefined ? undefined : preimageOf(read),
  };
}

/** Each leaf once, in the order in which it was first read; one that is written without being read comes last. */
function watch(memory: TracedMemory): { accesses: () => readonly Access[]; watched: HashedMemory } {
  const accesses: Access[] = [];
  const addressOf = (address: number): number => (address & ~15) >>> 0;
  const watched: HashedMemory = {
    leafAt(at) {
      const address = addressOf(at);
      const leaf = memory.leafAt(address);
      if (!accesses.some((access) => access.address === address)) accesses.push({ address, leaf, after: leaf });
      return leaf;
    },
    setLeaf(at, leaf) {
      const address = addressOf(at);
      // A store reads what it writes, as its second access; the leaf of an instruction or a key is opened again when it is written.
      const own = accesses.findIndex((access) => access.address === address);
      if (own === 1 && accesses.length === 2) accesses.splice(own, 1);
      accesses.push({ address, leaf: memory.leafAt(address), after: leaf });
      memory.setLeaf(address, leaf);
    },
    root: memory.root,
    pathTo: memory.pathTo,
  };
  return { accesses: () => accesses, watched };
}
