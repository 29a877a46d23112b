/** The compiled circuit, and its witness by ACVM from the machine's own types. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { executeProgram, type WitnessMap } from '@noir-lang/acvm_js';
import { encodeStepInputs, type StepWitness } from '../../../appliance/rollup/prove/step-inputs.ts';
import { FIELD_MODULUS } from '../../../protocol/dispute/field.ts';
import { FLAG_RUN, type MachineState, type OpenedState, openState } from '../../../protocol/dispute/machine-state.ts';
import { type Read, step } from '../../../protocol/dispute/step.ts';
import { openStep, publicInputsOf } from '../../../protocol/dispute/step-opening.ts';
import type { BeforeStep, Random } from './random-step.ts';

const artefact = JSON.parse(
  readFileSync(new URL('../../../circuits/generated/step.json', import.meta.url), 'utf8'),
) as { bytecode: string };
/** Compressed ACIR. */
export const bytecode: Uint8Array = Buffer.from(artefact.bytecode, 'base64');

export interface MadeStep extends StepWitness {
  readonly pre: OpenedState;
  readonly after: MachineState;
  readonly post: OpenedState;
  readonly read: Read | undefined;
}

/** Makes the step with the oracle, and opens it. */
export function makeStep({ state, preimages }: BeforeStep): MadeStep {
  const pre = openState(state);
  const opening = openStep(state);
  const { state: after, read } = step(state, preimages);
  const post = openState(after);
  return { pre, post, after, read, opening, publicInputs: publicInputsOf(pre, post, read) };
}

/** @returns every witness. @throws what ACVM says where a constraint does not hold */
export async function solve(witness: StepWitness): Promise<WitnessMap> {
  const [main] = await executeProgram(bytecode, encodeStepInputs(witness), () =>
    Promise.reject(new Error('the circuit asks an oracle')),
  );
  if (main === undefined) throw new Error('no witness');
  return main.witness;
}

export async function isAccepted(witness: StepWitness): Promise<boolean> {
  try {
    await solve(witness);
    return true;
  } catch {
    return false;
  }
}

const PUBLIC_NAMES = [
  'pre core',
  'post core',
  'first half of the input',
  'second half of the input',
  'first half of the output before',
  'second half of the output before',
  'first half of the output after',
  'second half of the output after',
  'flag before',
  'flag after',
  'kind',
  'first half of the key',
  'second half of the key',
  'offset',
  'data',
  'length',
] as const;

export interface Mutated {
  readonly name: string;
  readonly mutated: StepWitness;
}

/**
 * Every way to add `by` to one value of a step. Left out is what the step does not look at: with another input, or with another
 * output where it is overwritten, the step is another one that is as true.
 */
export function* mutations({ publicInputs, opening, pre, post }: MadeStep, by: bigint): Generator<Mutated> {
  const isOverwritten = pre.flag === post.flag && !isDeepStrictEqual(pre.output, post.output);
  for (const [index, name] of PUBLIC_NAMES.entries()) {
    if (name.includes('the input') || (isOverwritten && name.includes('output before'))) continue;
    const inputs = altered(publicInputs, index, by);
    // The end of an exit or a fault, repeated: true of a machine that had halted so before.
    if (name === 'flag before' && post.flag !== FLAG_RUN && inputs[index] === BigInt(post.flag)) continue;
    yield { name, mutated: { opening, publicInputs: inputs } };
  }
  const open = (name: string, change: Partial<StepWitness['opening']>): Mutated => ({
    name,
    mutated: { publicInputs, opening: { ...opening, ...change } },
  });
  const { registers, pc, memoryRoot, key } = opening;
  for (const index of registers.keys()) {
    const others = registers.map((register, at) =>
      at === index ? (register + (Number(by & 0xffffn) || 1)) >>> 0 : register,
    );
    yield open(`x${index + 1}`, { registers: others });
  }
  yield open('pc', { pc: (pc + (Number(by & 0xffffn) || 1)) >>> 0 });
  yield open('memory root', { memoryRoot: field(memoryRoot + by) });
  for (const part of ['code', 'data'] as const) {
    const { leaf, path } = opening[part];
    yield open(`${part} leaf`, { [part]: { leaf: field(leaf + by), path } });
    for (const level of path.keys())
      yield open(`${part} path ${level}`, { [part]: { leaf, path: altered(path, level, by) } });
  }
  for (const level of key.path.keys()) {
    yield open(`key path ${level}`, { key: { ...key, path: altered(key.path, level, by) } });
  }
  const [first, second] = key.leaves;
  yield open('key leaf 0', { key: { ...key, leaves: [field(first + by), second] } });
  yield open('key leaf 1', { key: { ...key, leaves: [first, field(second + by)] } });
}

/** One of the mutations, by a small or a random amount. */
export function mutateOne(made: MadeStep, random: Random): Mutated {
  const by = random.chance(0.5) ? 1n : BigInt((random.word() | 1) >>> 0) << BigInt(random.below(220));
  return random.of([...mutations(made, by)]);
}

function altered(values: readonly bigint[], index: number, by: bigint): bigint[] {
  return values.map((value, at) => (at === index ? field(value + by) : value));
}

function field(value: bigint): bigint {
  return ((value % FIELD_MODULUS) + FIELD_MODULUS) % FIELD_MODULUS;
}
