/** A committed file that Rust was compiled to: what it was made from and by what, and whether it still is. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Toolchain } from './rust-toolchain.ts';

/** A compiled file, and how it is made. */
export interface CompiledFile {
  /** The Cargo workspace, whose `generated` folder holds the file. */
  readonly workspace: string;
  readonly file: string;
  readonly record: string;
  /** What it is made of, besides the toolchain: files and folders of the workspace. */
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  /** @returns the path of what was compiled. @throws when it does not compile */
  readonly build: (toolchain: Toolchain, folders: { workspace: string; target: string }) => string;
}

interface Record {
  readonly sha256: string;
  readonly bytes: number;
  /** SHA-256 over the sources' paths and contents. */
  readonly sources: string;
  readonly toolchain: string;
  readonly flags: readonly string[];
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function pathOf({ workspace }: CompiledFile, name: string): string {
  return join(workspace, 'generated', name);
}

export function bytesOf(compiled: CompiledFile): Uint8Array {
  return readFileSync(pathOf(compiled, compiled.file));
}

export function readRecord(compiled: CompiledFile): Record {
  return JSON.parse(readFileSync(pathOf(compiled, compiled.record), 'utf8')) as Record;
}

function hashSources({ workspace, sources }: CompiledFile): string {
  const files = sources.flatMap((name) => {
    if (/\.(toml|lock)$/.test(name)) return [name];
    const below = readdirSync(join(workspace, name), { recursive: true, encoding: 'utf8' });
    return below.filter((file) => /\.(rs|toml|lock)$/.test(file)).map((file) => join(name, file));
  });
  const lines = files.sort().map((file) => `${file} ${sha256(readFileSync(join(workspace, file)))}\n`);
  return sha256(lines.join(''));
}

/** Compiles into a folder of its own and returns the bytes. */
export function compile({ workspace, build }: CompiledFile, toolchain: Toolchain): Uint8Array {
  const target = process.env.CARGO_TARGET_DIR ?? mkdtempSync(join(tmpdir(), 'nectar-compiled-'));
  try {
    return readFileSync(build(toolchain, { workspace, target }));
  } finally {
    if (process.env.CARGO_TARGET_DIR === undefined) rmSync(target, { recursive: true, force: true });
  }
}

/** Compiles, and writes the file with its record. */
export function writeCompiled(compiled: CompiledFile, toolchain: Toolchain): Record {
  const bytes = compile(compiled, toolchain);
  const record: Record = {
    sha256: sha256(bytes),
    bytes: bytes.length,
    sources: hashSources(compiled),
    toolchain: toolchain.version,
    flags: compiled.flags,
  };
  writeFileSync(pathOf(compiled, compiled.file), bytes);
  writeFileSync(pathOf(compiled, compiled.record), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

/** What is not as it should be; empty for a file that is of its sources. */
export function wrongOf(compiled: CompiledFile): string[] {
  const { file, record } = compiled;
  if (!existsSync(pathOf(compiled, record))) return [`${file} is not there`];
  const { sha256: digest, sources } = readRecord(compiled);
  return [
    ...(sha256(bytesOf(compiled)) === digest ? [] : [`${file} is not the file that ${record} records`]),
    ...(hashSources(compiled) === sources ? [] : [`${file} was compiled from other sources`]),
  ];
}
