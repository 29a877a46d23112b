/**
 * Builds what is Rust (machine/, coding/) and keeps the compiled forms fresh. The committed .wasm files need no Rust to run.
 *
 *   node scripts/machine.ts build [NAME]   compiles and writes NAME/generated
 *   node scripts/machine.ts check          exits 1 when a generated folder is not of its sources; needs no Rust
 *   node scripts/machine.ts reproduce      compiles again and compares: the digest where the toolchain is the recorded one, else what
 *                                          both files do; says which. Without a toolchain it says so, and fails only with CI=true
 *   node scripts/machine.ts riscv          compiles the machine for bare RV32IM, for tests: machine/target/machine.riscv.elf
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRiscv, findToolchain } from './rust-toolchain.ts';
import { compile, isFresh, sha256, type WasmFile, wasmFile, writeGenerated } from './wasm-file.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STACK = '-Clink-arg=-zstack-size=4194304';
const FILES: readonly WasmFile[] = [
  wasmFile(ROOT, { name: 'machine', flags: ['-Zlocation-detail=none', STACK] }),
  wasmFile(ROOT, {
    name: 'coding',
    flags: [
      '-Zlocation-detail=none',
      STACK,
      '-Ctarget-feature=+simd128,+relaxed-simd',
      '--cfg=keccak_backend="simd128"',
    ],
  }),
];

function build(only: string | undefined): number {
 * Builds what is compiled of machine/ (Rust) and keeps it fresh. The committed files need no Rust to run.
 *
 *   node scripts/machine.ts build        compiles what is not of these sources and writes machine/generated
 *   node scripts/machine.ts check        exits 1 when machine/generated is not of these sources; needs no Rust
 *   node scripts/machine.ts reproduce    compiles again and compares: the digests where the toolchain is the recorded one, else the
 *                                        official state tests through both machines; says which. Without a toolchain it says so,
 *                                        and fails only with CI=true
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORE0 } from '../machine/generated/digest.ts';
import { WebAssembly } from '../machine/host/web-assembly.ts';
import { parseImage } from '../machine/tracer/image.ts';
import { createPoseidon2 } from '../machine/tracer/poseidon2.ts';
import { createTracer } from '../machine/tracer/tracer.ts';
import { translateImage } from '../machine/tracer/translate.ts';
import {
  buildPoseidon2,
  buildRiscv,
  buildWasm,
  findToolchain,
  licences,
  RISCV_FLAGS,
  type Toolchain,
  WASM_FLAGS,
} from './rust-toolchain.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MACHINE = join(ROOT, 'machine');
const GENERATED = join(MACHINE, 'generated');

/** A compiled file: what it is made of, besides the toolchain, and how. */
interface Artefact {
  readonly file: string;
  readonly record: string;
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  readonly compile: (toolchain: Toolchain, folders: { workspace: string; target: string }) => string;
}

const WASM: Artefact = {
  file: 'machine.wasm',
  record: 'machine.json',
  sources: ['Cargo.toml', 'Cargo.lock', 'core', 'wasm'],
  flags: WASM_FLAGS,
  compile: buildWasm,
};
const POSEIDON2: Artefact = {
  file: 'poseidon2.wasm',
  record: 'poseidon2.json',
  sources: ['poseidon2'],
  flags: WASM_FLAGS,
  compile: buildPoseidon2,
};
const DISPUTE: Artefact = {
  file: 'dispute.elf',
  record: 'dispute.json',
  sources: ['Cargo.toml', 'core', 'riscv'],
  flags: RISCV_FLAGS,
  compile: buildRiscv,
};
const ARTEFACTS = [WASM, POSEIDON2, DISPUTE];

interface Record {
  readonly sha256: string;
  readonly bytes: number;
  /** SHA-256 over the sources' paths and contents. */
  readonly sources: string;
  readonly toolchain: string;
  readonly flags: readonly string[];
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function sourceFiles({ sources }: Artefact): string[] {
  return sources
    .flatMap((name) => {
      if (/\.(toml|lock)$/.test(name)) return [name];
      const below = readdirSync(join(MACHINE, name), { recursive: true, encoding: 'utf8' });
      return below.filter((file) => /\.(rs|toml|lock)$/.test(file)).map((file) => join(name, file));
    })
    .sort();
}

function hashSources(artefact: Artefact): string {
  return sha256(
    sourceFiles(artefact)
      .map((file) => `${file} ${sha256(readFileSync(join(MACHINE, file)))}\n`)
      .join(''),
  );
}

function bytesOf({ file }: Artefact): Uint8Array {
  return readFileSync(join(GENERATED, file));
}

/** The state before the first step: registers 0, pc at the entry, memory the image. */
function coreOfImage(): bigint {
  const poseidon2 = createPoseidon2(new WebAssembly.Module(Uint8Array.from(bytesOf(POSEIDON2))));
  const image = translateImage(parseImage(bytesOf(DISPUTE)));
  const nothing = { input: new Uint8Array(32), preimages: () => new Uint8Array() };
  return createTracer({ image, poseidon2 }, nothing).openAt(0n).core;
}

/** @param core0 in hex */
function digestModule(core0: string): string {
  const lines = [
    '// generated by scripts/machine.ts',
    `export const MACHINE_SHA256 = '${sha256(bytesOf(WASM))}';`,
    `export const POSEIDON2_SHA256 = '${sha256(bytesOf(POSEIDON2))}';`,
    `export const DISPUTE_SHA256 = '${sha256(bytesOf(DISPUTE))}';`,
    '/** The core of the machine of disputes before its first step (docs/design/0031). */',
    `export const CORE0 = 0x${core0}n;`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Compiles into a folder of its own and returns the bytes. */
function compile(toolchain: Toolchain, artefact: Artefact): Uint8Array {
  const target = process.env.CARGO_TARGET_DIR ?? mkdtempSync(join(tmpdir(), 'nectar-machine-'));
  try {
    return readFileSync(artefact.compile(toolchain, { workspace: MACHINE, target }));
  } finally {
    if (process.env.CARGO_TARGET_DIR === undefined) rmSync(target, { recursive: true, force: true });
  }
}

function build(): number {
  const toolchain = findToolchain();
  if (toolchain === undefined) {
    process.stderr.write('no Rust toolchain that compiles for bare targets; machine/README.md says which there are\n');
    return 1;
  }
  for (const file of FILES.filter(({ name }) => only === undefined || name === only)) {
    const { sha256: digest, bytes } = writeGenerated(file, toolchain);
    process.stdout.write(`${file.name}.wasm ${digest}, ${bytes} bytes, by ${toolchain.version}\n`);
  }
  return 0;
}

function check(): number {
  return FILES.map(isFresh).every(Boolean) ? 0 : 1;
  for (const artefact of ARTEFACTS.filter((some) => wrongOf(some).length > 0)) {
    const bytes = compile(toolchain, artefact);
    const record: Record = {
      sha256: sha256(bytes),
      bytes: bytes.length,
      sources: hashSources(artefact),
      toolchain: toolchain.version,
      flags: artefact.flags,
    };
    writeFileSync(join(GENERATED, artefact.file), bytes);
    writeFileSync(join(GENERATED, artefact.record), `${JSON.stringify(record, null, 2)}\n`);
    process.stdout.write(`${artefact.file} ${record.sha256}, ${record.bytes} bytes, by ${record.toolchain}\n`);
  }
  // Takes seconds: kept, and held against the image by test/unit/machine/riscv.test.ts.
  const core0 = coreOfImage().toString(16).padStart(64, '0');
  writeFileSync(join(GENERATED, 'digest.ts'), digestModule(core0));
  writeFileSync(join(GENERATED, 'LICENCES.txt'), licences(MACHINE));
  return 0;
}

function readRecord({ record }: Artefact): Record {
  return JSON.parse(readFileSync(join(GENERATED, record), 'utf8')) as Record;
}

function wrongOf(artefact: Artefact): string[] {
  const { file, record } = artefact;
  if (!existsSync(join(GENERATED, record))) return [`${file} is not there`];
  const { sha256: digest, sources } = readRecord(artefact);
  return [
    ...(sha256(bytesOf(artefact)) === digest ? [] : [`${file} is not the file that ${record} records`]),
    ...(hashSources(artefact) === sources ? [] : [`${file} was compiled from other sources`]),
  ];
}

function check(): number {
  const wrong = ARTEFACTS.flatMap(wrongOf);
  if (readFileSync(join(GENERATED, 'digest.ts'), 'utf8') !== digestModule(CORE0.toString(16).padStart(64, '0')))
    wrong.push('digest.ts is of other files');
  for (const line of wrong) process.stderr.write(`${line}\n`);
  if (wrong.length > 0) process.stderr.write('run: node scripts/machine.ts build\n');
  return wrong.length === 0 ? 0 : 1;
}

function reproduce(): number {
  return FILES.map(reproduceFile).find((status) => status !== 0) ?? 0;
}

function reproduceFile(file: WasmFile): number {
  const { name } = file;
  const toolchain = findToolchain();
  if (toolchain === undefined) {
    process.stdout.write(`${name}.wasm is not reproduced: there is no Rust toolchain here\n`);
    return process.env.CI === 'true' ? 1 : 0;
  }
  const record = file.read();
  const wasm = compile(file, toolchain);
  if (sha256(wasm) === record.sha256) {
    process.stdout.write(`${name}.wasm is reproduced, byte for byte: ${record.sha256} by ${toolchain.version}\n`);
    return 0;
  }
  if (toolchain.version === record.toolchain) {
    process.stderr.write(`${name}.wasm: the same toolchain gives ${sha256(wasm)}, not ${record.sha256}\n`);
    return 1;
  }
  process.stdout.write(
    `another toolchain (${toolchain.version}, not ${record.toolchain}): comparing what both files of ${name} do\n`,
  );
  return compareRuns(file, wasm);
    process.stdout.write('nothing is compiled again: there is no Rust toolchain here\n');
    return process.env.CI === 'true' ? 1 : 0;
  }
  const codes = ARTEFACTS.map((artefact) => reproduceOne(toolchain, artefact));
  return codes.some((code) => code !== 0) ? 1 : 0;
}

function reproduceOne(toolchain: Toolchain, artefact: Artefact): number {
  const { file } = artefact;
  const record = readRecord(artefact);
  const bytes = compile(toolchain, artefact);
  const digest = sha256(bytes);
  if (digest === record.sha256) {
    process.stdout.write(`${file} is reproduced, byte for byte: ${digest} by ${toolchain.version}\n`);
    return 0;
  }
  if (toolchain.version === record.toolchain) {
    process.stderr.write(`${file}: the same toolchain gives ${digest}, not ${record.sha256}\n`);
    return 1;
  }
  process.stdout.write(`${file}: another toolchain (${toolchain.version}, not ${record.toolchain})\n`);
  // The other two are held against the oracles in TypeScript by the unit tests.
  return artefact === WASM ? compareByVectors(bytes) : 0;
}

/** What a file answers to all vectors: the official state tests for the machine, which compare state roots, logs and what is refused. */
function run(name: string, path: string): { status: number | null; stdout: string } {
  if (name === 'coding')
    return spawnSync(process.execPath, [join(ROOT, 'scripts/coding-vectors.ts'), path], { encoding: 'utf8' });
  const shared = join(ROOT, '../shared/vectors/ethereum-state-tests');
  const vectors = existsSync(shared) ? shared : join(ROOT, 'test/vectors/ethereum-state-tests');
  return spawnSync(process.execPath, [join(ROOT, 'scripts/state-tests.ts'), vectors, path], { encoding: 'utf8' });
}

function compareRuns({ name, path }: WasmFile, wasm: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), `nectar-${name}-built-`));
  try {
    const built = join(folder, `${name}.wasm`);
    writeFileSync(built, wasm);
    const [committed, ours] = [run(name, path), run(name, built)];
    process.stdout.write(`committed: ${committed.stdout}built here: ${ours.stdout}`);
    return committed.stdout === ours.stdout && committed.status === 0 && ours.status === 0 ? 0 : 1;
    const shared = join(ROOT, '../shared/vectors/ethereum-state-tests');
    const vectors = existsSync(shared) ? shared : join(ROOT, 'test/vectors/ethereum-state-tests');
    const script = join(ROOT, 'scripts/state-tests.ts');
    const runs = [join(GENERATED, WASM.file), built].map((file) =>
      spawnSync(process.execPath, [script, vectors, file], { encoding: 'utf8' }),
    );
    const [committed, ours] = runs.map(({ stdout }) => stdout);
    process.stdout.write(`committed: ${committed}built here: ${ours}`);
    return committed === ours && runs.every(({ status }) => status === 0) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For tests: they run blocks on it and in WebAssembly. */
function riscv(): number {
  const toolchain = findToolchain();
  if (toolchain === undefined) {
    process.stdout.write('no RISC-V build: there is no Rust toolchain here\n');
    return process.env.CI === 'true' ? 1 : 0;
  }
  const workspace = join(ROOT, 'machine');
  const target = process.env.CARGO_TARGET_DIR ?? mkdtempSync(join(tmpdir(), 'nectar-machine-riscv-'));
  try {
    const elf = readFileSync(buildRiscv(toolchain, { workspace, target }));
    mkdirSync(join(workspace, 'target'), { recursive: true });
    writeFileSync(join(workspace, 'target/machine.riscv.elf'), elf);
    process.stdout.write(`machine/target/machine.riscv.elf ${elf.length} bytes, by ${toolchain.version}\n`);
    return 0;
  } finally {
    if (process.env.CARGO_TARGET_DIR === undefined) rmSync(target, { recursive: true, force: true });
  }
}

const COMMANDS: { readonly [name: string]: (argument: string | undefined) => number } = {
  build,
  check,
  reproduce,
  riscv,
};
const command = COMMANDS[process.argv[2] ?? ''];
if (command === undefined)
  process.stderr.write('usage: node scripts/machine.ts build [machine|coding] | check | reproduce | riscv\n');
process.exitCode = command?.(process.argv[3]) ?? 2;
const COMMANDS: { readonly [name: string]: () => number } = { build, check, reproduce };
const command = COMMANDS[process.argv[2] ?? ''];
if (command === undefined) process.stderr.write('usage: node scripts/machine.ts build | check | reproduce\n');
process.exitCode = command?.() ?? 2;
