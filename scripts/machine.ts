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
  const toolchain = findToolchain();
  if (toolchain === undefined) {
    process.stderr.write(
      'no Rust toolchain that can compile for WebAssembly; machine/README.md says which there are\n',
    );
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
