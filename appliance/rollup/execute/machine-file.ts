import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { compileMachine } from '../../../machine/host/load.ts';
import type { WasmModule } from '../../../machine/host/web-assembly.ts';
import { NectarError } from '../../../protocol/errors.ts';

let compiled: WasmModule | undefined;

/** In the sources where it was compiled to, in a bundle beside the program. */
function machineUrl(): URL {
  const path = import.meta.url.endsWith('.ts') ? '../../../machine/generated/machine.wasm' : './machine.wasm';
  return new URL(path, import.meta.url);
}

/** The machine that this version was released with, compiled once for all threads. Throws ROLLUP_MACHINE_INVALID. */
export function loadMachine(): WasmModule {
  compiled ??= compileMachine(readMachine(), (bytes) => createHash('sha256').update(bytes).digest('hex'));
  return compiled;
}

function readMachine(): Uint8Array {
  try {
    return readFileSync(machineUrl());
  } catch (cause) {
    throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: 'machine.wasm cannot be read' }, { cause });
  }
}
