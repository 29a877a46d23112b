/** The constraint system as the prover's program gives it to bb, taken apart: ACIR of Noir 1.0.0-beta.26 in MessagePack. */
import { gunzipSync } from 'node:zlib';
import { Unpackr } from 'msgpackr';

type Term = readonly [coefficient: bigint, witness: number];
type Product = readonly [coefficient: bigint, left: number, right: number];
export type Input = { readonly witness: number } | { readonly constant: bigint };

/** products + terms + constant. */
export interface Sum {
  readonly products: readonly Product[];
  readonly terms: readonly Term[];
  readonly constant: bigint;
}

/** A constraint; or a hint, which constrains nothing. */
export type Opcode =
  | ({ readonly kind: 'zero' } & Sum)
  | { readonly kind: 'range'; readonly witness: number; readonly bits: number }
  | { readonly kind: 'poseidon2'; readonly inputs: readonly Input[]; readonly outputs: readonly number[] }
  | {
      readonly kind: 'hint';
      readonly name: string;
      readonly inputs: readonly Sum[];
      readonly outputs: readonly number[];
    };

const MESSAGEPACK_COMPACT = 3;

/** @throws for an opcode that is none of the four: nobody has argued about it */
export function parseAcir(bytecode: Uint8Array): readonly Opcode[] {
  const bytes = gunzipSync(bytecode);
  if (bytes[0] !== MESSAGEPACK_COMPACT) throw new Error(`format ${bytes[0]}`);
  const [functions, hints] = new Unpackr({ useRecords: false, mapsAsObjects: true }).unpack(bytes.subarray(1)) as [
    [unknown, Record<string, never>[]][],
    [string][],
  ];
  const [main, ...others] = functions;
  if (main === undefined || others.length > 0) throw new Error(`${functions.length} functions`);
  return main[1].map((opcode) => parseOpcode(opcode, hints));
}

function parseOpcode(opcode: Record<string, unknown>, hints: readonly [string][]): Opcode {
  const [[kind = '', content] = []] = Object.entries(opcode);
  if (kind === 'AssertZero') return { kind: 'zero', ...sumOf(content as Expression) };
  if (kind === 'BrilligCall') {
    const [id, inputs, outputs] = content as [
      number,
      { Single: Expression }[],
      ({ Simple: number } | { Array: number[] })[],
    ];
    return {
      kind: 'hint',
      name: hints[id]?.[0] ?? '',
      inputs: inputs.map(({ Single }) => sumOf(Single)),
      outputs: outputs.flatMap((output) => ('Simple' in output ? [output.Simple] : output.Array)),
    };
  }
  if (kind === 'BlackBoxFuncCall') return parseBlackBox(content as Record<string, never>);
  throw new Error(`an opcode ${kind}`);
}

type Expression = [products: [Buffer, number, number][], terms: [Buffer, number][], constant: Buffer];

function sumOf([products, terms, constant]: Expression): Sum {
  return {
    products: products.map(([coefficient, left, right]) => [numberOf(coefficient), left, right]),
    terms: terms.map(([coefficient, witness]) => [numberOf(coefficient), witness]),
    constant: numberOf(constant),
  };
}

function parseBlackBox(content: Record<string, unknown>): Opcode {
  const [[name = '', values] = []] = Object.entries(content);
  if (name === 'RANGE') {
    const [input, bits] = values as [{ Witness: number }, number];
    return { kind: 'range', witness: input.Witness, bits };
  }
  if (name !== 'Poseidon2Permutation') throw new Error(`a black box ${name}`);
  const [inputs, outputs] = values as [({ Witness: number } | { Constant: Buffer })[], number[]];
  return {
    kind: 'poseidon2',
    inputs: inputs.map((input) =>
      'Witness' in input ? { witness: input.Witness } : { constant: numberOf(input.Constant) },
    ),
    outputs,
  };
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
