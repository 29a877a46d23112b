import type { Key, VerifyMessageResult } from 'openpgp';
import { fingerprintOf } from './report-key.ts';

const MAX_SIGNATURE_BYTES = 64 * 1024;

/** What a detached signature shows. `unknown`: it may be good, but of nobody whose key is here. */
export type SignatureVerdict =
  | { readonly verdict: 'ok'; readonly fingerprint: string; readonly signedAt: string }
  | { readonly verdict: 'violated' | 'unknown'; readonly reason: string };

/** Verifies an armoured detached signature of `bytes` by any of `keys`. */
export async function verifySignature(
  bytes: Uint8Array,
  armoured: string,
  keys: readonly Key[],
): Promise<SignatureVerdict> {
  if (armoured.length > MAX_SIGNATURE_BYTES) {
    return { verdict: 'violated', reason: `the signature is longer than ${MAX_SIGNATURE_BYTES} bytes` };
  }
  // The library throws whatever it meets in a damaged packet: all of it means that there is no good signature.
  const signatures = await read(bytes, armoured, keys).catch(() => undefined);
  if (signatures === undefined) return { verdict: 'violated', reason: 'the signature is no OpenPGP signature' };
  const [only] = signatures;
  if (only === undefined || signatures.length > 1) {
    return { verdict: 'violated', reason: 'there is not exactly one signature' };
  }
  const signer = keys.find((key) => key.getKeys(only.keyID).length > 0);
  if (signer === undefined) {
    return { verdict: 'unknown', reason: `signed by ${only.keyID.toHex().toUpperCase()}, whose key is not here` };
  }
  try {
    await only.verified;
  } catch (error) {
    return { verdict: 'violated', reason: `the signature does not hold: ${(error as Error).message}` };
  }
  const [packet] = (await only.signature).packets;
  return { verdict: 'ok', fingerprint: fingerprintOf(signer), signedAt: packet?.created?.toISOString() ?? '' };
}

/** At no date: a report of last year is signed by a key that may have ended since. */
async function read(
  bytes: Uint8Array,
  armoured: string,
  keys: readonly Key[],
): Promise<VerifyMessageResult['signatures']> {
  const { createMessage, readSignature, verify } = await import('openpgp');
  const signature = await readSignature({ armoredSignature: armoured });
  const message = await createMessage({ binary: bytes });
  const { signatures } = await verify({ message, signature, verificationKeys: [...keys], date: null });
  // A promise of a verdict that nobody asks for would end the process when it is refused.
  for (const { verified } of signatures) verified.catch(() => undefined);
  return signatures;
}
