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
    if (request.kind === 'element')
      return { id, commitment, proofs: [kzg.computeProof(blob, placeOfElement(request.index))[0]] };
    const proofs =
      request.form === 'cells' ? kzg.computeCellsAndProofs(blob)[1] : [kzg.computeBlobProof(blob, commitment)];
    return { id, commitment, proofs };
  };
}

/** The scalar field of BLS12-381, and its root of unity of order 4096. */
const MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const ROOT_OF_UNITY = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306n;
const INDEX_BITS = 12;

/** Where the blob's polynomial has an element for its value: a root of unity, in bit-reversed order (EIP-4844). */
function placeOfElement(index: number): bigint {
  let [place, power] = [1n, ROOT_OF_UNITY];
  for (let bit = INDEX_BITS - 1; bit >= 0; bit -= 1) {
    if ((index >> bit) & 1) place = (place * power) % MODULUS;
    power = (power * power) % MODULUS;
  }
  return place;
}

/** Undefined for bytes of another length, or with an element that is not below the modulus: no commitment exists of those. */
function commitmentOf(kzg: KZG, blob: string): string | undefined {
  try {
    return kzg.blobToKzgCommitment(blob);
  } catch {
    return undefined;
  }
}
