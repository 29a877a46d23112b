/** The inputs of circuits/step in the order of its parameters: the 16 public ones, then what the prover opens. */
import type { StepOpening } from '../../../protocol/dispute/step-opening.ts';

/** One step to be proved. */
export interface StepWitness {
  /** By `publicInputsOf`. */
  readonly publicInputs: readonly bigint[];
  readonly opening: StepOpening;
}

/** ACVM's map of witnesses: index -> 32 bytes of hex. */
export function encodeStepInputs({ publicInputs, opening }: StepWitness): Map<number, string> {
  const { registers, pc, memoryRoot, code, data, key } = opening;
  const values = [
    ...publicInputs,
    ...registers.map(BigInt),
    BigInt(pc),
    memoryRoot,
    code.leaf,
    ...code.path,
    data.leaf,
    ...data.path,
    ...key.leaves,
    ...key.path,
  ];
  return new Map(values.map((value, index) => [index, `0x${value.toString(16).padStart(64, '0')}`]));
}
