import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import { createDevelopmentSrs } from '../prove/development-srs.ts';
import { findProverFiles } from '../prove/prover-files.ts';
import { pinSrs, SRS_FILES } from '../prove/srs.ts';
import { createStepProver, type StepProver } from '../prove/step-prover.ts';

/** Whether steps can be proved here: the program of the prover is installed. */
export function canProveSteps(): boolean {
  return findProverFiles() !== undefined;
}

/** A prover by a structured reference string of its own, for a network that lives as long as the folder. */
export async function createSimulatedProver(folder: string): Promise<StepProver> {
  const files = findProverFiles();
  if (files === undefined)
    throw new NectarError('DISPUTE_MACHINE_MISSING', { what: 'prover: bb of @aztec/bb.js 5.0.0 is not installed' });
  const srs = createDevelopmentSrs(randomBytes);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, SRS_FILES.g1), srs.g1);
  await writeFile(join(folder, SRS_FILES.g2), srs.g2);
  const pinned = { sha256: pinSrs(srs), isDevelopment: true };
  return createStepProver({ ...files, srs: folder, pinned, isDevnet: true });
}
