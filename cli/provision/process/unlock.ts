import { UnlockResult } from '../../../appliance/gateway/key-schemas.ts';
import type { Client } from '../../client.ts';

/** Hands the passphrase to the node, over TLS on loopback and nowhere else, and wipes our copy. */
export async function sendPassphrase(client: Client, passphrase: Uint8Array): Promise<void> {
  try {
    await client.json(UnlockResult, 'POST', '/v1/unlock', { passphrase: Buffer.from(passphrase).toString('utf8') });
  } finally {
    passphrase.fill(0);
  }
}
