import type { Machine, TransactionSignature } from '../../../machine/host/machine.ts';
import { addressOfKey } from '../../../protocol/rollup/key-address.ts';
import { nativeCrypto } from './native-crypto.ts';

const ADDRESS_BYTES = 20;
/** One flag, then the address when there is one. */
export const SENDER_BYTES = 1 + ADDRESS_BYTES;

/**
 * Who signed each transaction, by a faster road than the machine's own: 1 and an address, or zeros where there is none. Where this
 * says nothing the machine decides by itself.
 */
export function recoverSenders(signatures: readonly (TransactionSignature | undefined)[]): Uint8Array {
  const senders = new Uint8Array(signatures.length * SENDER_BYTES);
  for (const [index, signature] of signatures.entries()) {
    const sender = signature && recoverSender(signature);
    if (sender === undefined) continue;
    senders[index * SENDER_BYTES] = 1;
    senders.set(sender, index * SENDER_BYTES + 1);
  }
  return senders;
}

export function sendersOf(machine: Pick<Machine, 'signaturesEncoded'>, transactions: Uint8Array): Uint8Array {
  return recoverSenders(machine.signaturesEncoded(transactions));
}

function recoverSender({ digest, rs, yParity }: TransactionSignature): Uint8Array | undefined {
  try {
    const key = nativeCrypto.recover?.(digest, rs, yParity);
    return key && addressOfKey(key);
  } catch {
    return undefined;
  }
}
