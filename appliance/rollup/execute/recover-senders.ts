import type { Machine } from '../../../machine/host/machine.ts';
import { addressOfKey } from '../../../protocol/rollup/key-address.ts';
import { SENDER_BYTES } from './block-messages.ts';
import type { RecoverKey } from './recover-key.ts';

/**
 * Who signed each transaction (what `encodeBlobs` made), by a faster road than the machine's own: 1 and an address, or zeros where
 * there is none. Where this says nothing the machine decides by itself.
 */
export function recoverSenders(
  machine: Pick<Machine, 'signaturesEncoded'>,
  transactions: Uint8Array,
  recover: RecoverKey,
): Uint8Array {
  const signatures = machine.signaturesEncoded(transactions);
  const senders = new Uint8Array(signatures.length * SENDER_BYTES);
  for (const [index, signature] of signatures.entries()) {
    const key = signature && recover(signature.digest, signature.rs, signature.yParity);
    if (key === undefined) continue;
    senders[index * SENDER_BYTES] = 1;
    senders.set(addressOfKey(key), index * SENDER_BYTES + 1);
  }
  return senders;
}
