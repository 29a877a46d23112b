/** What a batch of transfers must take on L1 at least, whatever its format: what is random in it cannot be packed. */
import type { Transfer } from './token-chain.ts';

/**
 * r and s are 32 bytes each that nobody can foretell. That s is below half the order (EIP-2) saves one bit, which the parity of the
 * point takes.
 */
export const SIGNATURE_BYTES = 64;
/** A hash: no batch can say it in less, as long as it is read without the state. */
const ADDRESS_BYTES = 20;

/**
 * Bytes of each transfer apart from its signature, at least. `perBatch`: transfers of one batch, which names a recipient once and
 * afterwards as one of those that it named; `amounts`: as many are equally likely. Nonces, fees and gas limits count as nothing.
 */
export function floorApart(transfers: readonly Transfer[], perBatch: number, amounts: number): number {
  let bytes = 0;
  for (let at = 0; at < transfers.length; at += perBatch) {
    const batch = transfers.slice(at, at + perBatch);
    const named = new Set(batch.map(({ to }) => to)).size;
    const bitsOfEach = Math.log2(amounts);
    bytes += named * ADDRESS_BYTES + ((batch.length - named) * Math.log2(named) + batch.length * bitsOfEach) / 8;
  }
  return bytes / transfers.length;
}
