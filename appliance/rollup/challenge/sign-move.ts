import { computeAddress, hexlify, recoverAddress, Signature, SigningKey } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import {
  type Move,
  moveHash,
  type Openings,
  type SignedMove,
  type SigningDomain,
} from '../../../protocol/dispute/move.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** The account that signs this node's moves. */
export interface MoveSigner {
  /** Lower case. */
  readonly address: Hex;
  sign(domain: SigningDomain, move: Move, openings: Openings | undefined): SignedMove;
}

/** @param key secp256k1, 32 bytes. Signatures are deterministic (RFC 6979) and have a low s. */
export function createMoveSigner(key: Uint8Array): MoveSigner {
  const signing = new SigningKey(hexlify(key));
  return {
    address: computeAddress(signing.publicKey).toLowerCase() as Hex,
    sign: (domain, move, openings) => ({
      move,
      openings,
      signature: signing.sign(moveHash(domain, move)).serialized as Hex,
    }),
  };
}

/** Throws DISPUTE_SIGNATURE_INVALID unless the signer signed the move, by the one signature that L1 takes. */
export function verifyMoveSignature(domain: SigningDomain, { move, signature }: SignedMove, signer: Hex): void {
  verifySignature(moveHash(domain, move), signature, signer);
}

function verifySignature(hash: Hex, signature: Hex, signer: Hex): void {
  let by: string;
  try {
    // Throws for a high s, and for a v that is neither 27 nor 28.
    const parsed = Signature.from(signature);
    if (parsed.serialized !== signature) throw new RangeError('another encoding');
    by = recoverAddress(hash, parsed).toLowerCase();
  } catch (cause) {
    throw new NectarError('DISPUTE_SIGNATURE_INVALID', { reason: 'it is malformed' }, { cause });
  }
  if (by !== signer.toLowerCase())
    throw new NectarError('DISPUTE_SIGNATURE_INVALID', { reason: 'another account signed' });
}
