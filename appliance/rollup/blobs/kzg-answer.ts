import { KZG, type SetupData } from 'micro-eth-signer/kzg.js';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { KzgReply, KzgRequest } from './kzg-messages.ts';

/** Answers requests by a trusted setup of Ethereum's KZG ceremony. */
export function createKzgAnswer(setup: SetupData): (request: KzgRequest) => KzgReply {
  const kzg = new KZG(setup);
  return (request) => {
    const { id } = request;
    const blob = bytesToHex(request.blob);
    const commitment = commitmentOf(kzg, blob);
    if (commitment === undefined || request.kind === 'commitment') return { id, commitment, proofs: [] };
    const proofs =
      request.form === 'cells' ? kzg.computeCellsAndProofs(blob)[1] : [kzg.computeBlobProof(blob, commitment)];
    return { id, commitment, proofs };
  };
}

/** Undefined for bytes of another length, or with an element that is not below the modulus: no commitment exists of those. */
function commitmentOf(kzg: KZG, blob: string): string | undefined {
  try {
    return kzg.blobToKzgCommitment(blob);
  } catch {
    return undefined;
  }
}
