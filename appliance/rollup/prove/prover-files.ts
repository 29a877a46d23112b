import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NectarError } from '../../../protocol/errors.ts';

/** What a step is proved with. */
export interface ProverFiles {
  /** The native program of @aztec/bb.js 5.0.0. */
  readonly bb: string;
  /** circuits/generated/step.json. */
  readonly circuit: string;
}

/**
 * The compiled circuit, and bb of @aztec/bb.js where that package is installed: the program does not bring it (150 MB). Undefined:
 * one of them is not there.
 * @param named a program that is named by hand; empty: the package's. Throws ROLLUP_PROOF_FAILED for one that is not there
 */
export function findProverFiles(named = ''): ProverFiles | undefined {
  const folder = import.meta.url.endsWith('.ts') ? '../../../circuits/generated' : '.';
  const circuit = fileURLToPath(new URL(`${folder}/step.json`, import.meta.url));
  if (named !== '' && !existsSync(named))
    throw new NectarError('ROLLUP_PROOF_FAILED', { reason: `there is no program ${named}` });
  const bb = named === '' ? bbOfPackage() : named;
  return bb !== undefined && existsSync(circuit) ? { bb, circuit } : undefined;
}

function bbOfPackage(): string | undefined {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const platform = process.platform === 'darwin' ? 'macos' : process.platform;
  try {
    const entry = createRequire(import.meta.url).resolve('@aztec/bb.js');
    const program = join(dirname(entry), '../../build', `${arch}-${platform}`, 'bb');
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}
