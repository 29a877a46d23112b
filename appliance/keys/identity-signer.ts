import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { Keys } from './interfaces.ts';

/** Ed25519 by a sealed identity: the private key is opened at the first signature, and kept out of everyone else's hands. */
export interface IdentitySigner {
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** `name` is an identity that holds an Ed25519 key as PKCS#8 DER. Signing while locked: KEY_LOCKED. */
export function createIdentitySigner(keys: Pick<Keys, 'openIdentity'>, name: string): IdentitySigner {
  let key: KeyObject | undefined;

  async function open(): Promise<KeyObject> {
    const der = await keys.openIdentity(name);
    try {
      return createPrivateKey({
        key: Buffer.from(der.buffer, der.byteOffset, der.length),
        format: 'der',
        type: 'pkcs8',
      });
    } finally {
      der.fill(0);
    }
  }

  return {
    async sign(bytes) {
      key ??= await open();
      return sign(null, bytes, key);
    },
  };
}
