/** Finds a Rust toolchain that compiles for bare targets, and runs it: rustup's, or Debian's rustc-web with rust-web-src. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const WASM_TARGET = 'wasm32-unknown-unknown';
/** Part of what decides the digest. Paths of the machine that compiles stay out of the file. */
export const WASM_FLAGS: readonly string[] = ['-Zlocation-detail=none', '-Clink-arg=-zstack-size=4194304'];
/** A crate that becomes a committed WebAssembly file. */
export interface WasmCrate {
  /** Of the folder, the file and the crate: `machine` is machine/generated/machine.wasm, by nectar-machine-wasm. */
  readonly name: string;
  readonly flags: readonly string[];
}

/** Bare RV32IM with compare-and-swap, which a crate wants: the target without an operating system has none. */
const RISCV_TARGET = 'riscv32im-risc0-zkvm-elf';
export const RISCV_FLAGS: readonly string[] = [
  '-Clink-arg=-Ttext=0x10000',
  '-Cpasses=lower-atomic',
  '-Crelocation-model=static',
  // Recovery of keys is asked for: machine/core/src/recovery_oracle.rs.
  '--cfg=oracle',
  '-Cstrip=symbols',
];

export interface Toolchain {
  readonly rustc: string;
  /** `rustc -V`. */
  readonly version: string;
  /** The standard library's sources, to be compiled with the machine. */
  readonly sources: string;
  readonly linker: string;
}

function run(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** rust-lld of any rustup toolchain, or Debian's lld under the name by which it links WebAssembly and ELF alike. */
function findLinker(): string | undefined {
  const toolchains = join(process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'), 'toolchains');
  const rustup = existsSync(toolchains) ? readdirSync(toolchains) : [];
  const own = rustup.flatMap((name) => {
    const hosts = join(toolchains, name, 'lib/rustlib');
    return existsSync(hosts) ? readdirSync(hosts).map((host) => join(hosts, host, 'bin/rust-lld')) : [];
  });
  const debian = ['22', '19', '16', '14'].map((version) => `/usr/lib/llvm-${version}/bin/lld`);
  return [...own, ...debian].find((path) => existsSync(path));
}

/** A compiler with the sources of its standard library; Debian's first, whose version the committed file records. */
export function findToolchain(): Toolchain | undefined {
  const linker = findLinker();
  if (linker === undefined) return undefined;
  for (const rustc of ['/usr/bin/rustc', 'rustc']) {
    const version = run(rustc, ['-V']);
    const sysroot = run(rustc, ['--print', 'sysroot']);
    if (version === undefined || sysroot === undefined) continue;
    const sources = join(sysroot, 'lib/rustlib/src/rust/library');
    if (existsSync(sources)) return { rustc, version, sources, linker };
  }
  return undefined;
}

/** Runs cargo with this toolchain; returns whether it succeeded. `flags` go to the target's compiler. */
function cargo(
  { rustc, linker }: Toolchain,
  {
    args,
    flags,
    target,
    workspace,
    room = 'machine',
    output,
  }: {
    args: string[];
    flags: readonly string[];
    target: string;
    workspace: string;
    /** What the folder is called in what is compiled. */
    room?: string;
    output: string;
  },
): boolean {
  const name = target.toUpperCase().replaceAll('-', '_');
  const home = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const remap = [
    [`${home}/registry/src/`, '/crates/'],
    [workspace, `/${room}`],
    ['/usr/src/', '/rust/'],
  ].map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  const env = {
    ...process.env,
    RUSTC: rustc,
    // Compiling the standard library is not stable, nor are the vectors of the keccak crate; nothing else that is unstable is used.
    RUSTC_BOOTSTRAP: '1',
    CARGO_TARGET_DIR: output,
    [`CARGO_TARGET_${name}_LINKER`]: linker,
    [`CARGO_TARGET_${name}_RUSTFLAGS`]: [...flags, ...remap].join(' '),
  };
  const { status } = spawnSync('cargo', [...args, '--release', '--locked', '--quiet', '--target', target], {
    cwd: workspace,
    stdio: 'inherit',
    env,
  });
  return status === 0;
}

/** Compiles a crate for WebAssembly; returns the path of the file. Throws when it does not compile. */
export function buildWasm(
  toolchain: Toolchain,
  { name, flags }: WasmCrate,
  { workspace, target }: { workspace: string; target: string },
): string {
  const args = ['build', '-p', `nectar-${name}-wasm`, '--lib', '-Zbuild-std=core,alloc,panic_abort'];
  if (!cargo(toolchain, { args, flags, target: WASM_TARGET, workspace, room: name, output: target }))
    throw new Error(`the ${name} does not compile`);
  return join(target, WASM_TARGET, `release/nectar_${name}_wasm.wasm`);
}

/** Compiles machine/poseidon2; returns the path of the file. Throws when it does not compile. */
export function buildPoseidon2(
  toolchain: Toolchain,
  { workspace, target }: { workspace: string; target: string },
): string {
  const args = ['build', '--lib', '-Zbuild-std=core,panic_abort'];
  const own = join(workspace, 'poseidon2');
  if (!cargo(toolchain, { args, flags: WASM_FLAGS, target: WASM_TARGET, workspace: own, output: target }))
    throw new Error('Poseidon2 does not compile');
  return join(target, WASM_TARGET, 'release/nectar_poseidon2.wasm');
}

/** Compiles machine/riscv for bare RV32IM; returns the path of the executable. Throws when it does not compile. */
export function buildRiscv(toolchain: Toolchain, { workspace, target }: { workspace: string; target: string }): string {
  const args = [
    'build',
    '-p',
    'nectar-machine-riscv',
    '-Zbuild-std=core,alloc',
    '-Zbuild-std-features=compiler-builtins-mem',
  ];
  if (!cargo(toolchain, { args, flags: RISCV_FLAGS, target: RISCV_TARGET, workspace, output: target }))
    throw new Error('the machine does not compile for RISC-V');
  return join(target, RISCV_TARGET, 'release/nectar-machine-riscv');
}

/** The crates that the compiled file holds, each with its licence, and every licence text once. */
export function licences({ name }: WasmCrate, workspace: string): string {
  const tree = spawnSync(
    'cargo',
    [
      'tree',
      '--locked',
      '-p',
      `nectar-${name}-wasm`,
      '--target',
      WASM_TARGET,
      '-e',
      'normal,no-proc-macro',
      '--prefix',
      'none',
      '--format',
      '{p}|{l}|{r}',
    ],
    { cwd: workspace, encoding: 'utf8' },
  );
  if (tree.status !== 0) throw new Error(`cargo tree failed: ${tree.stderr}`);
  // cargo marks a crate that it has shown already: ` (*)`.
  const lines = tree.stdout.split('\n').filter((line) => line.includes('|') && !line.startsWith('nectar-'));
  const names = new Set(lines.map((line) => line.replaceAll(/ \(.*?\)/g, '').trim()));
  const rows = [...names].sort().map((line) => line.split('|'));
  const texts = new Map<string, string[]>();
  for (const [name = ''] of rows) {
    for (const text of licenceTexts(name)) texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  const list = rows.map(([name, licence, repository]) => `${name}  ${licence}  ${repository}`).join('\n');
  const bodies = [...texts].map(([text, names]) => `${'-'.repeat(80)}\n${names.join(', ')}\n\n${text}\n`).join('\n');
  return `generated by scripts/machine.ts: what ${name}.wasm holds besides our own code and Rust's core and alloc (MIT OR Apache-2.0)\n\n${list}\n\n${bodies}`;
}

function licenceTexts(nameAndVersion: string): string[] {
  const [name, version] = nameAndVersion.split(' v');
  const registries = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src');
  const folders = readdirSync(registries).map((registry) => join(registries, registry, `${name}-${version}`));
  const folder = folders.find((path) => existsSync(path));
  if (folder === undefined) return [];
  // The Apache text is the same everywhere and stands in this repository's own LICENSE.
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^licen[cs]e/i.test(entry.name) && !/apache/i.test(entry.name))
    .map(({ name }) => name);
  return files.sort().flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8').trim();
    return text.includes('Apache License') ? [] : [text];
  });
}
