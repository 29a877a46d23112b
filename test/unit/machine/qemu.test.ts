/** RV32IM of the disputed machine against a foreign one: qemu-riscv32 (Debian's qemu-user), which .ci/run installs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseImage } from '../../../machine/tracer/image.ts';
import { createPoseidon2 } from '../../../machine/tracer/poseidon2.ts';
import { createTracer } from '../../../machine/tracer/tracer.ts';
import { translateImage } from '../../../machine/tracer/translate.ts';
import { FLAG_FAIL, FLAG_RUN, type MachineState, openState } from '../../../protocol/dispute/machine-state.ts';
import { createMemory, wordAt } from '../../../protocol/dispute/memory.ts';
import { step } from '../../../protocol/dispute/step.ts';
import { type BeforeStep, stepOf } from '../circuits/random-step.ts';
import { isAccepted, makeStep } from '../circuits/step-circuit.ts';
import { poseidonModule } from './tracer/guest-fixture.ts';

const [TEXT_AT, DATA_AT, RESULTS_AT, END_AT] = [0x1_0000, 0x6_0000, 0x7_0000, 0x8_0000];
const [LOAD, STORE, IMMEDIATE, OP, BRANCH, LUI, AUIPC, JAL, JALR] = [
  0x03, 0x23, 0x13, 0x33, 0x63, 0x37, 0x17, 0x6f, 0x67,
];
const EDGES = [0, 1, 2, 31, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff9, 0xffff_ffff];
const IMMEDIATES = [0, 1, 5, 0x7ff, 0x800, 0xfff];
const SHIFTS = [0, 1, 31];
/** Instructions use x5, x6 and x7; x8 points to data, x9 to where results go. */
const [A, B, RESULT, DATA, RESULTS] = [5, 6, 7, 8, 9];
const ECALL = 0x73;

const register = (funct7: number, funct3: number): number =>
  ((funct7 << 25) | (B << 20) | (A << 15) | (funct3 << 12) | (RESULT << 7) | OP) >>> 0;
const immediate = (opcode: number, funct3: number, [to, from, value]: readonly [number, number, number]): number =>
  (((value & 0xfff) << 20) | (from << 15) | (funct3 << 12) | (to << 7) | opcode) >>> 0;
const store = (funct3: number, base: number, offset: number, from: number): number =>
  (((offset >> 5) << 25) | (from << 20) | (base << 15) | (funct3 << 12) | ((offset & 31) << 7) | STORE) >>> 0;
/** Over the next instruction. */
const branch = (funct3: number): number => ((B << 20) | (A << 15) | (funct3 << 12) | (8 << 7) | BRANCH) >>> 0;
const jump = (): number => ((8 << 20) | (RESULT << 7) | JAL) >>> 0;

function load(to: number, value: number): number[] {
  const low = value & 0xfff;
  const upper = (value + (low & 0x800 ? 0x1000 : 0)) & 0xffff_f000;
  return [(upper | (to << 7) | LUI) >>> 0, immediate(IMMEDIATE, 0, [to, to, low])];
}

const keep = (from: number): number[] => [store(2, RESULTS, 0, from), immediate(IMMEDIATE, 0, [RESULTS, RESULTS, 4])];

/** Every instruction, each with edges for its operands, and its result kept. */
function everyInstruction(): number[] {
  const words: number[] = [...load(DATA, DATA_AT), ...load(RESULTS, RESULTS_AT)];
  const add = (...more: readonly number[]): number => words.push(...more);
  const pairs = EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const));
  for (const [a, b] of pairs) {
    add(...load(A, a), ...load(B, b));
    for (const funct7 of [0, 1])
      for (let funct3 = 0; funct3 < 8; funct3 += 1) add(register(funct7, funct3), ...keep(RESULT));
    for (const funct3 of [0, 5]) add(register(0x20, funct3), ...keep(RESULT));
    // Taken: the word after the branch does nothing, and the link or the sum says so.
    for (const funct3 of [0, 1, 4, 5, 6, 7])
      add(
        immediate(IMMEDIATE, 0, [RESULT, 0, 1]),
        branch(funct3),
        immediate(IMMEDIATE, 0, [RESULT, 0, 2]),
        ...keep(RESULT),
      );
  }
  for (const a of EDGES) {
    add(...load(A, a));
    for (const funct3 of [0, 2, 3, 4, 6, 7])
      for (const value of IMMEDIATES) add(immediate(IMMEDIATE, funct3, [RESULT, A, value]), ...keep(RESULT));
    for (const amount of SHIFTS) {
      for (const [funct3, top] of [
        [1, 0],
        [5, 0],
        [5, 0x400],
      ] as const)
        add(immediate(IMMEDIATE, funct3, [RESULT, A, amount | top]), ...keep(RESULT));
    }
    add(
      (a & 0xffff_f000) | (RESULT << 7) | LUI,
      ...keep(RESULT),
      (a & 0xffff_f000) | (RESULT << 7) | AUIPC,
      ...keep(RESULT),
    );
    // Each size of store over a word of ones, and each size of load of what then is there.
    for (const [size, offsets] of [
      [0, [0, 1, 2, 3]],
      [1, [0, 2]],
      [2, [0]],
    ] as const)
      for (const offset of offsets) {
        add(immediate(IMMEDIATE, 0, [B, 0, 0xfff]), store(2, DATA, 4, B), store(size, DATA, 4 + offset, A));
        for (const [loaded, places] of [
          [0, [0, 1, 2, 3]],
          [1, [0, 2]],
          [2, [0]],
          [4, [0, 1, 2, 3]],
          [5, [0, 2]],
        ] as const)
          for (const place of places) add(immediate(LOAD, loaded, [RESULT, DATA, 4 + place]), ...keep(RESULT));
      }
  }
  add(jump(), immediate(IMMEDIATE, 0, [RESULT, 0, 3]), ...keep(RESULT), 0x0000_000f);
  // To the second word after this one; its target's lowest bit is cleared.
  add((RESULT << 7) | AUIPC, immediate(JALR, 0, [A, RESULT, 13]), immediate(IMMEDIATE, 0, [A, 0, 4]), ...keep(A));
  return words.map((word) => word >>> 0);
}

/** write(1, RESULTS_AT, length) and exit(0) of Linux, which the disputed machine does not know: it faults at the first. */
const leave = (length: number): number[] => [
  ...load(10, 1),
  ...load(11, RESULTS_AT),
  ...load(12, length),
  ...load(17, 64),
  ECALL,
  ...load(10, 0),
  ...load(17, 93),
  ECALL,
];

/** Where the segment is in the file: as far into a page as it is in memory. */
const FILE_AT = 0x1000;

/** One segment, which may be written and run. */
function elfOf(words: readonly number[]): Uint8Array {
  const elf = new Uint8Array(FILE_AT + END_AT - TEXT_AT);
  const view = new DataView(elf.buffer);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  for (const [at, value] of [
    [16, 2],
    [18, 243],
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    view.setUint16(at, value, true);
  const size = END_AT - TEXT_AT;
  for (const [at, value] of [
    [20, 1],
    [24, TEXT_AT],
    [28, 52],
    [52, 1],
    [56, FILE_AT],
    [60, TEXT_AT],
    [64, TEXT_AT],
    [68, size],
    [72, size],
    [76, 7],
    [80, FILE_AT],
  ] as const)
    view.setUint32(at, value, true);
  for (const [index, word] of words.entries()) view.setUint32(FILE_AT + 4 * index, word, true);
  return elf;
}

function qemu(elf: Uint8Array): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-qemu-'));
  const file = join(folder, 'program');
  try {
    writeFileSync(file, elf);
    chmodSync(file, 0o755);
    return execFileSync('qemu-riscv32', [file], { maxBuffer: 1 << 24 });
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(isAbsent ? 'qemu-riscv32 is not installed: apt-get install qemu-user' : 'qemu-riscv32 failed', {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const program = everyInstruction();
const results = program.filter(
  (word) => word === store(2, RESULTS, 0, RESULT) || word === store(2, RESULTS, 0, A),
).length;
const elf = elfOf([...program, ...leave(4 * results)]);

test('each instruction of RV32IM does what qemu says, with edges for operands, by the text and by the translation', () => {
  assert.ok(
    4 * program.length < DATA_AT - TEXT_AT && 4 * results < END_AT - RESULTS_AT,
    `${program.length}, ${results}`,
  );
  const foreign = qemu(elf);
  assert.equal(foreign.length, 4 * results);
  const image = parseImage(elf);
  const none = () => assert.fail('nothing is read');
  const input = new Uint8Array(32);
  let state: MachineState = {
    registers: new Uint32Array(32),
    pc: image.entry,
    memory: createMemory(image.segments),
    input,
    output: new Uint8Array(32),
    flag: FLAG_RUN,
  };
  let steps = 0n;
  for (let next = step(state, none).state; next.flag === FLAG_RUN; next = step(state, none).state) {
    state = next;
    steps += 1n;
  }
  const own = Buffer.alloc(4 * results);
  for (let index = 0; index < results; index += 1)
    own.writeUInt32LE(wordAt(state.memory, RESULTS_AT + 4 * index), 4 * index);
  assert.deepEqual(own, foreign);
  const tracer = createTracer(
    { image: translateImage(image), poseidon2: createPoseidon2(poseidonModule) },
    { input, preimages: none },
  );
  assert.equal(tracer.openAt(steps).core, openState(state).core);
  assert.equal(tracer.openAt(steps + 1n).flag, FLAG_FAIL);
  tracer.close();
});

test('the circuit takes each instruction of the program that qemu ran', async () => {
  const kinds = new Map<string, number>();
  for (const word of program) {
    const opcode = word & 0x7f;
    const hasFunct3 = ![LUI, AUIPC, JAL].includes(opcode);
    const funct7 = opcode === OP || (opcode === IMMEDIATE && ((word >> 12) & 7) === 5) ? word >>> 25 : 0;
    kinds.set(`${opcode}/${hasFunct3 ? (word >> 12) & 7 : ''}/${funct7}`, word);
  }
  // 10 OP and 8 of M, 9 immediate, 6 branches, 5 loads, 3 stores, LUI, AUIPC, JAL, JALR, FENCE.
  assert.equal(kinds.size, 46);
  for (const [kind, word] of kinds) {
    const before: BeforeStep = stepOf(word, {
      [A]: 0x8000_0001,
      [B]: 7,
      [DATA]: 0x2000,
      [RESULTS]: 0x3000,
      [RESULT]: 0x1000,
    });
    const made = makeStep(before);
    assert.equal(made.post.flag, FLAG_RUN, kind);
    assert.ok(await isAccepted(made), kind);
  }
});
