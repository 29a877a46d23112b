/** Proofs of steps of each kind, for the contract tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinSrs, SRS_FILES } from '../appliance/rollup/prove/srs.ts';
import { createStepProver } from '../appliance/rollup/prove/step-prover.ts';
import type { OpenedState } from '../protocol/dispute/machine-state.ts';
import type { Read } from '../protocol/dispute/step.ts';
import { type BeforeStep, stepOf } from '../test/unit/circuits/random-step.ts';
import { makeStep } from '../test/unit/circuits/step-circuit.ts';
import { bbProgram } from './step-honk.ts';

const ECALL = 0x73;
const STEPS: Readonly<Record<string, () => BeforeStep>> = {
  divide: () => stepOf(0x0220_c1b3, { 1: 0xffff_ff9c, 2: 7 }),
  store: () => stepOf(0x0020_9123, { 1: 0x2000, 2: 0xabcd_1234 }),
  branch: () => stepOf(0x0020_8463, { 1: 7, 2: 7 }),
  output: () => stepOf(ECALL, { 17: 1, 10: 0x2000, 11: 1 }),
  input: () => stepOf(ECALL, { 17: 2, 10: 0x2000, 11: 1 }),
  read: () => stepOf(ECALL, { 17: 3, 10: 0, 11: 0x2000, 12: 16, 13: 0x3000 }),
  exit: () => stepOf(ECALL, { 17: 0 }),
  fault: () => stepOf(0, {}),
  halted: () => {
    const before = stepOf(ECALL, { 17: 0 });
    return { ...before, state: { ...before.state, flag: 1 } };
  },
};

/** @param folder with `crs` and `step.json` @returns JSON */
export async function proveSteps(folder: string, key: string): Promise<string> {
  const srs = join(folder, 'crs');
  const [g1, g2] = [SRS_FILES.g1, SRS_FILES.g2].map((file) => readFileSync(join(srs, file))) as [Buffer, Buffer];
  const pinned = { sha256: pinSrs({ g1, g2 }), isDevelopment: true };
  const circuit = join(folder, 'step.json');
  const prover = createStepProver({ bb: bbProgram(), circuit, srs, pinned, isDevnet: true });
  const steps = [];
  for (const [name, before] of Object.entries(STEPS)) {
    const made = makeStep(before());
    const proof = hex(await prover.prove(made));
    steps.push({ name, pre: stateOf(made.pre), post: stateOf(made.post), read: readOf(made.read), proof });
  }
  return `${JSON.stringify({ key, steps }, null, 1)}\n`;
}

function stateOf({ core, input, output, flag }: OpenedState): object {
  return { core: `0x${core.toString(16).padStart(64, '0')}`, input: hex(input), output: hex(output), flag };
}

function readOf(read: Read | undefined): object {
  if (read === undefined)
    return { kind: 0xffff_ffff, key: hex(new Uint8Array(32)), offset: 0, data: hex(new Uint8Array(16)), length: 0 };
  const { kind, key, offset, data, length } = read;
  return { kind, key: hex(key), offset, data: hex(data), length };
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}
