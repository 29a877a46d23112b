import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Opcode, parseAcir } from './acir.ts';
import { forge, mod, type Witnesses } from './forger.ts';
import { Random, randomStep, stepOf } from './random-step.ts';
import { bytecode, type MadeStep, makeStep, solve } from './step-circuit.ts';

const opcodes = parseAcir(bytecode);
const hints = opcodes.filter((opcode): opcode is Extract<Opcode, { kind: 'hint' }> => opcode.kind === 'hint');
/** Public inputs that say where the step ends and what it asks: core, output, flag, kind, key, offset. */
const END: readonly number[] = [1, 6, 7, 9, 10, 11, 12, 13];

async function honestly(made: MadeStep): Promise<Witnesses> {
  return new Map([...(await solve(made))].map(([witness, value]) => [witness, BigInt(value)]));
}

/** Values that a liar would try for a hint. */
function lies(name: string, value: bigint, random: Random): bigint[] {
  const word = 1n << 32n;
  if (name === 'directive_to_radix') return [1n - value, mod(value - 2n), value + word];
  const tries = [0n, 1n, value + 1n, value - 1n, word - value, value + word, value ^ 1n, value ^ (1n << 31n), -value];
  return [...new Set([...tries, BigInt(random.word())].map(mod))].filter((other) => other !== value);
}

interface Found {
  /** Accepted with another end of the step. */
  readonly forged: string[];
  /** Accepted with the same end: the inverse of a 0, and the high part of split_bit where it is no 1, which are any number. */
  readonly idle: string[];
  readonly tried: number;
}

/** Alters each hint alone, and with another of the same call left to make up for it. */
function tryAll(honest: Witnesses, random: Random): Found {
  const found = { forged: [] as string[], idle: [] as string[], tried: 0 };
  const attempt = (name: string, altered: Witnesses, released: readonly number[]): void => {
    found.tried++;
    const solution = forge(opcodes, honest, { altered, open: new Set([...END, ...released]) });
    if (solution === undefined) return;
    const isOther = END.some((at) => solution.get(at) !== honest.get(at));
    (isOther ? found.forged : found.idle).push(`${name} ${[...altered.keys()]}`);
  };
  for (const { name, outputs } of hints) {
    for (const output of outputs) {
      const others = outputs.filter((other) => other !== output);
      for (const lie of lies(name, honest.get(output) ?? 0n, random)) {
        attempt(name, new Map([[output, lie]]), []);
        if (others.length > 0) attempt(name, new Map([[output, lie]]), [random.of(others)]);
      }
    }
  }
  return found;
}

const operation = (funct7: number, funct3: number): number =>
  ((funct7 << 25) | (2 << 20) | (1 << 15) | (funct3 << 12) | (3 << 7) | 0x33) >>> 0;

/** A division, a comparison, a shift, a load, a store, a branch, calls: where hints decide something. */
const STEPS: Readonly<Record<string, MadeStep>> = {
  'a division': makeStep(stepOf(operation(1, 4), { 1: 0xffff_ff9c, 2: 7 })),
  'a rest without sign': makeStep(stepOf(operation(1, 7), { 1: 0xffff_ffff, 2: 0x8000_0001 })),
  'a division by 0': makeStep(stepOf(operation(1, 5), { 1: 5, 2: 0 })),
  'an upper product': makeStep(stepOf(operation(1, 1), { 1: 0x8000_0003, 2: 0xffff_fff1 })),
  'a subtraction that borrows': makeStep(stepOf(operation(0x20, 0), { 1: 3, 2: 9 })),
  'a sum that carries': makeStep(stepOf(operation(0, 0), { 1: 0xffff_ffff, 2: 0xffff_ffff })),
  'a signed comparison': makeStep(stepOf(operation(0, 2), { 1: 0x8000_0000, 2: 1 })),
  'an arithmetic shift': makeStep(stepOf(operation(0x20, 5), { 1: 0x8000_0010, 2: 35 })),
  'a load of a byte': makeStep(stepOf(0x0030_8183, { 1: 0x2000 })),
  'a store of a half': makeStep(stepOf(0x0020_9123, { 1: 0x2000, 2: 0xabcd_1234 })),
  'a branch': makeStep(stepOf(0x0020_8463, { 1: 7, 2: 7 })),
  'an output': makeStep(stepOf(0x73, { 17: 1, 10: 0x2000, 11: 1 })),
  'a read': makeStep(stepOf(0x73, { 17: 3, 10: 0, 11: 0x2000, 12: 16, 13: 0x3000 })),
  'a fault': makeStep(stepOf(0, {})),
  'a halted machine': makeStep(halted()),
};

/** Some seconds of CPU; all of them, and random steps, with NECTAR_FORGE_ALL=1. */
const isAll = process.env.NECTAR_FORGE_ALL === '1';
const SAMPLE = ['a division', 'an upper product', 'a store of a half', 'a read'];

function halted(): ReturnType<typeof stepOf> {
  const before = stepOf(operation(0, 0), { 1: 1 });
  return { ...before, state: { ...before.state, flag: 1 } };
}

describe('the constraints of a step', () => {
  it('are ranges, sums of products and hashes alone, and take hints of six kinds', () => {
    const names = new Set(hints.map(({ name }) => name));
    assert.deepEqual([...names].sort(), [
      'bytes_hint',
      'directive_invert',
      'directive_to_radix',
      'divide_hint',
      'split_hint',
      'words_hint',
    ]);
  });
  it('hold for the honest witness, which the forger finds again', async () => {
    for (const [name, made] of Object.entries(STEPS)) {
      if (!isAll && !SAMPLE.includes(name)) continue;
      const honest = await honestly(made);
      const solution = forge(opcodes, honest, { altered: new Map(), open: new Set(END) });
      assert.deepEqual(
        END.map((at) => solution?.get(at)),
        END.map((at) => honest.get(at)),
        name,
      );
    }
  });
  for (const [name, made] of Object.entries(STEPS)) {
    if (!isAll && !SAMPLE.includes(name)) continue;
    it(`let no lie in a hint give another end: ${name}`, async () => {
      const { forged, idle, tried } = tryAll(await honestly(made), new Random(made.post.flag + name.length));
      assert.ok(tried > 1500, `${tried}`);
      assert.deepEqual(forged, []);
      assert.deepEqual(
        idle.filter((hint) => !/^(directive_invert|split_hint) /.test(hint)),
        [],
      );
    });
  }
  it('are found wanting by the forger without the bound of the rest, and with it are not', async () => {
    const honest = await honestly(STEPS['a division'] ?? assert.fail());
    const [quotient = 0, rest = 0] = hints.find(({ name }) => name === 'divide_hint')?.outputs ?? [];
    const altered = new Map([[quotient, (honest.get(quotient) ?? 0n) - 1n]]);
    const isForged = (weakened: readonly Opcode[]): boolean => {
      const solution = forge(weakened, honest, { altered, open: new Set([...END, rest]) });
      return solution !== undefined && solution.get(1) !== honest.get(1);
    };
    assert.equal(isForged(opcodes), false);
    // Of all ranges it is one that stands in the way: that the divisor less 1 and the rest is no negative number.
    const needed = opcodes
      .filter(({ kind }) => kind === 'range')
      .filter((range) => isForged(opcodes.filter((each) => each !== range)));
    assert.equal(needed.length, 1);
  });
});

describe('random steps', () => {
  it('let no lie in a hint give another end', async () => {
    const random = new Random(35);
    for (let count = 0; count < (isAll ? 10 : 1); count++) {
      const { forged } = tryAll(await honestly(makeStep(randomStep(random))), random);
      assert.deepEqual(forged, []);
    }
  });
});
