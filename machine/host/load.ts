import { NectarError } from '../../protocol/errors.ts';
import { MACHINE_SHA256 } from '../generated/digest.ts';
import { type WasmModule, WebAssembly } from './web-assembly.ts';

/** Hex of the SHA-256 of bytes: given by the caller, since the machine's room has no Node API. */
export type Sha256 = (bytes: Uint8Array) => string;

/**
 * Compiles the bytes of machine.wasm, which must be those that this version was released with: another machine is another
 * chain. Throws ROLLUP_MACHINE_INVALID.
 */
export function compileMachine(bytes: Uint8Array, sha256: Sha256): WasmModule {
  const digest = sha256(bytes);
  if (digest !== MACHINE_SHA256)
    throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: `its SHA-256 is ${digest}` });
  return new WebAssembly.Module(bytes);
}
