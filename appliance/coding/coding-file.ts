import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { compileCoding } from '../../coding/host/load.ts';
import type { WasmModule } from '../../machine/host/web-assembly.ts';
import { NectarError } from '../../protocol/errors.ts';

/** In the sources where it was compiled to, in a bundle beside the program. */
function codingUrl(): URL {
  const path = import.meta.url.endsWith('.ts') ? '../../coding/generated/coding.wasm' : './coding.wasm';
  return new URL(path, import.meta.url);
}

/** The coding that this version was released with. @throws CODING_FILE_INVALID */
export function loadCoding(): WasmModule {
  return compileCoding(readCoding(), (bytes) => createHash('sha256').update(bytes).digest('hex'));
}

function readCoding(): Uint8Array {
  try {
    return readFileSync(codingUrl());
  } catch (cause) {
    throw new NectarError('CODING_FILE_INVALID', { reason: 'coding.wasm cannot be read' }, { cause });
  }
}
