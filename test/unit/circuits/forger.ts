/**
 * A prover that lies in its hints: it solves the constraint system from altered hints, with the values that a step says of its end
 * left open, and so finds another end where the constraints allow one.
 */
import { permute } from '@zkpassport/poseidon2';
import { FIELD_MODULUS } from '../../../protocol/dispute/field.ts';
import type { Input, Opcode, Sum } from './acir.ts';

export type Witnesses = ReadonlyMap<number, bigint>;

export interface Lie {
  /** Hints with values other than the honest ones. */
  readonly altered: Witnesses;
  /** Witnesses that the constraints shall determine: what the step says of its end, and hints that make up for the altered. */
  readonly open: ReadonlySet<number>;
}

/** @returns all witnesses of a solution that has these hints; undefined when a constraint refuses them */
export function forge(opcodes: readonly Opcode[], honest: Witnesses, { altered, open }: Lie): Witnesses | undefined {
  const { derived: always, bounds } = shapeOf(opcodes);
  for (const [witness, value] of altered) if (value >> BigInt(bounds.get(witness) ?? 254) !== 0n) return undefined;
  const values = new Map<number, bigint>(altered);
  for (const [witness, value] of honest) {
    if (!always.has(witness) && !open.has(witness) && !altered.has(witness)) values.set(witness, value);
  }
  let waiting = opcodes;
  while (waiting.length > 0) {
    const later: Opcode[] = [];
    for (const opcode of waiting) {
      const outcome = opcode.kind === 'hint' ? takeHint(opcode, values, open) : apply(opcode, values, honest);
      if (outcome === 'refused') return undefined;
      if (outcome === 'waits') later.push(opcode);
    }
    // What waits for two unknowns at once is no refusal: the caller opened more than the constraints determine.
    if (later.length === waiting.length) return values;
    waiting = later;
  }
  return values;
}

interface Shape {
  /** Witnesses that are no inputs: constraints and hints give them. */
  readonly derived: ReadonlySet<number>;
  /** Bits of what has a range of its own. */
  readonly bounds: ReadonlyMap<number, number>;
}

const shapes = new WeakMap<readonly Opcode[], Shape>();

function shapeOf(opcodes: readonly Opcode[]): Shape {
  const known = shapes.get(opcodes);
  if (known !== undefined) return known;
  const [all, bounds] = [new Set<number>(), new Map<number, number>()];
  for (const opcode of opcodes) {
    if (opcode.kind === 'hint') for (const output of opcode.outputs) all.add(output);
    if (opcode.kind === 'range') bounds.set(opcode.witness, opcode.bits);
    if (opcode.kind === 'zero') {
      for (const [, witness] of opcode.terms) all.add(witness);
      for (const [, left, right] of opcode.products) all.add(left).add(right);
    }
    if (opcode.kind === 'poseidon2') for (const output of opcode.outputs) all.add(output);
  }
  const derived = new Set([...all].filter((witness) => witness >= INPUTS));
  const shape = { derived, bounds };
  shapes.set(opcodes, shape);
  return shape;
}

/** What the honest hint says of the values so far, lies before it included; what is altered or open stays so. */
function takeHint(
  { name, inputs, outputs }: Extract<Opcode, { kind: 'hint' }>,
  values: Map<number, bigint>,
  open: ReadonlySet<number>,
): 'held' | 'waits' {
  const given = inputs.map((input) => evaluate(input, values));
  if (given.includes(undefined)) return 'waits';
  const hinted = HINTS[name]?.(given as bigint[], outputs.length) ?? [];
  for (const [index, output] of outputs.entries()) {
    if (!values.has(output) && !open.has(output)) values.set(output, mod(hinted[index] ?? 0n));
  }
  return 'held';
}

const HINTS: Readonly<Record<string, (given: readonly bigint[], outputs: number) => bigint[]>> = {
  directive_invert: ([x = 0n]) => [x === 0n ? 0n : invert(x)],
  directive_to_radix: ([x = 0n], outputs) => Array.from({ length: outputs }, (_, bit) => (x >> BigInt(bit)) & 1n),
  split_hint: ([x = 0n, low = 0n]) => [x & ((1n << low) - 1n), x >> low],
  words_hint: ([x = 0n]) => [0n, 32n, 64n, 96n].map((shift) => (x >> shift) & 0xffff_ffffn),
  bytes_hint: ([x = 0n]) => [0n, 8n, 16n, 24n].map((shift) => (x >> shift) & 0xffn),
  divide_hint: ([n = 0n, d = 1n]) => (d === 0n ? [0n, 0n] : [n / d, n % d]),
};

function evaluate({ products, terms, constant }: Sum, values: Witnesses): bigint | undefined {
  let sum = constant;
  for (const [coefficient, left, right] of products) {
    const [a, b] = [values.get(left), values.get(right)];
    if (a === undefined || b === undefined) return undefined;
    sum += coefficient * a * b;
  }
  for (const [coefficient, witness] of terms) {
    const value = values.get(witness);
    if (value === undefined) return undefined;
    sum += coefficient * value;
  }
  return mod(sum);
}

/** 16 public inputs and 120 values of the opening. */
export const INPUTS = 136;

function apply(opcode: Opcode, values: Map<number, bigint>, honest: Witnesses): 'held' | 'refused' | 'waits' {
  switch (opcode.kind) {
    case 'range': {
      const value = values.get(opcode.witness);
      if (value === undefined) return 'waits';
      return value >> BigInt(opcode.bits) === 0n ? 'held' : 'refused';
    }
    case 'poseidon2': {
      const inputs = opcode.inputs.map((input) => inputOf(input, values));
      if (inputs.includes(undefined)) return 'waits';
      // What is as it was has the outputs it had: most of a lie touches few of the hashes.
      const isHonest = opcode.inputs.every((input, index) => inputOf(input, honest) === inputs[index]);
      const outputs = isHonest ? opcode.outputs.map((at) => honest.get(at)) : permute(inputs as bigint[]);
      return setAll(opcode.outputs, outputs as bigint[], values);
    }
    case 'zero':
      return solveZero(opcode, values);
    default:
      return 'held';
  }
}

function solveZero(
  { products, terms, constant }: Extract<Opcode, { kind: 'zero' }>,
  values: Map<number, bigint>,
): 'held' | 'refused' | 'waits' {
  let sum = constant;
  let unknown: number | undefined;
  let slope = 0n;
  const add = (witness: number, coefficient: bigint): boolean => {
    if (unknown !== undefined && unknown !== witness) return false;
    unknown = witness;
    slope = mod(slope + coefficient);
    return true;
  };
  for (const [coefficient, left, right] of products) {
    const [a, b] = [values.get(left), values.get(right)];
    if (a === undefined && b === undefined) return 'waits';
    if (a !== undefined && b !== undefined) sum += coefficient * a * b;
    else if (!add(a === undefined ? left : right, mod(coefficient * (a ?? b ?? 0n)))) return 'waits';
  }
  for (const [coefficient, witness] of terms) {
    const value = values.get(witness);
    if (value !== undefined) sum += coefficient * value;
    else if (!add(witness, coefficient)) return 'waits';
  }
  sum = mod(sum);
  if (unknown === undefined) return sum === 0n ? 'held' : 'refused';
  // Any value does: it stays unknown until another constraint says it.
  if (slope === 0n) return sum === 0n ? 'held' : 'refused';
  values.set(unknown, mod(-sum * invert(slope)));
  return 'held';
}

function setAll(
  witnesses: readonly number[],
  found: readonly bigint[],
  values: Map<number, bigint>,
): 'held' | 'refused' {
  for (const [index, witness] of witnesses.entries()) {
    const value = found[index] ?? 0n;
    if ((values.get(witness) ?? value) !== value) return 'refused';
    values.set(witness, value);
  }
  return 'held';
}

function inputOf(input: Input, values: Witnesses): bigint | undefined {
  return 'constant' in input ? input.constant : values.get(input.witness);
}

export function mod(value: bigint): bigint {
  const rest = value % FIELD_MODULUS;
  return rest < 0n ? rest + FIELD_MODULUS : rest;
}

/** By Euclid. */
export function invert(value: bigint): bigint {
  let [a, b, x, y] = [mod(value), FIELD_MODULUS, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a % b];
    [x, y] = [y, x - quotient * y];
  }
  return mod(x);
}
