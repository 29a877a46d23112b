import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Keys } from '../../appliance/keys/index.ts';

/** The Ed25519 key that the node keeps sealed under a name, for as long as one use takes. */
export interface OpenedIdentity {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** @throws NectarError KEY_LOCKED, KEY_IDENTITY_MISSING, KEY_IDENTITY_INVALID */
export async function openIdentity(keys: Pick<Keys, 'openIdentity'>, name: string): Promise<OpenedIdentity> {
  const der = await keys.openIdentity(name);
  try {
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
    return {
      publicKey: Buffer.from(x, 'base64url'),
      sign: async (bytes) => sign(null, bytes, key),
    };
  } finally {
    der.fill(0);
  }
}
