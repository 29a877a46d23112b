import { NectarError } from '../../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { findProverFiles } from './prover-files.ts';
import { createStepProver, type StepProver } from './step-prover.ts';

export interface NodeProverOptions {
  readonly srsFolder: string;
  readonly proverProgram: string;
}

/**
 * The prover of this node's config. A string that is named and is not the network's is an error at once (ROLLUP_SRS_INVALID), and so
 * is a program that is not there; what is not named is one when it is needed, since not every verifier wants a zk proof.
 */
export function openStepProver(
  { srsFolder, proverProgram }: NodeProverOptions,
  { srs, devnet }: Pick<NetworkDescriptor, 'srs' | 'devnet'>,
): () => Promise<StepProver> {
  const files = findProverFiles(proverProgram);
  if (srs === undefined) return () => missing("structured reference string in the network's descriptor");
  if (srsFolder === '') return () => missing('structured reference string: rollup.validator.srsFolder names no folder');
  if (files === undefined) return () => missing('prover: bb of @aztec/bb.js 5.0.0 (rollup.validator.proverProgram)');
  const prover = createStepProver({ ...files, srs: srsFolder, pinned: srs, isDevnet: devnet !== undefined });
  return async () => prover;
}

async function missing(what: string): Promise<never> {
  throw new NectarError('DISPUTE_MACHINE_MISSING', { what });
}
