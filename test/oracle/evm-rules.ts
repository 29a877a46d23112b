import type { Rules } from '../../protocol/rollup/rules.ts';
import { verifyPointEvaluationForEvm } from './point-evaluation.ts';

/** The same rules with what the EVM of @ethereumjs takes besides. */
export function evmRules(rules: Rules): Rules {
  rules.customCrypto.kzg ??= pointEvaluationOnly;
  return rules;
}

function unavailable(): never {
  throw new Error('this chain has no blobs');
}

/** EIP-4844's point evaluation precompile is part of Cancun; blobs themselves are not part of this chain. */
const pointEvaluationOnly = {
  verifyProof: verifyPointEvaluationForEvm,
  verifyBlobProofBatch: unavailable,
  blobToKzgCommitment: unavailable,
  computeBlobProof: unavailable,
  computeCells: unavailable,
  computeCellsAndProofs: unavailable,
  recoverCellsAndProofs: unavailable,
  verifyCellKzgProofBatch: unavailable,
};
