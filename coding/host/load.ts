import { type WasmModule, WebAssembly } from '../../machine/host/web-assembly.ts';
import { NectarError } from '../../protocol/errors.ts';
import { CODING_SHA256 } from '../generated/digest.ts';

/**
 * Compiles the bytes of coding.wasm, which must be those that this version was released with: other coefficients are other shards.
 * @param sha256 hex of the SHA-256 of bytes, given by the caller, since this room has no Node API
 * @throws CODING_FILE_INVALID
 */
export function compileCoding(bytes: Uint8Array, sha256: (bytes: Uint8Array) => string): WasmModule {
  const digest = sha256(bytes);
  if (digest !== CODING_SHA256) throw new NectarError('CODING_FILE_INVALID', { reason: `its SHA-256 is ${digest}` });
  return new WebAssembly.Module(bytes);
}
