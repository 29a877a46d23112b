import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { listIdentities, readIdentity, writeIdentity } from './identity-files.ts';
import type { Keyring } from './keyring.ts';

/**
 * Seals every identity of a home by its current key. One that neither key opens is damaged, which the looks at the files say; it is left
 * as it is. A process that ends in the middle leaves some by either key: both are known until this has come to its end.
 */
export async function settleIdentities(
  home: string,
  ring: Keyring,
  deps: { readonly crypto: EnvelopeCrypto; readonly randomBytes: (length: number) => Uint8Array },
): Promise<void> {
  const [key, former] = [ring.derive('identity'), ring.former('identity')];
  try {
    if (former !== undefined) await sealAnew(home, { key, former }, deps);
  } finally {
    for (const bytes of [key, former]) bytes?.fill(0);
  }
}

async function sealAnew(
  home: string,
  keys: { readonly key: Uint8Array; readonly former: Uint8Array },
  { crypto, randomBytes }: Parameters<typeof settleIdentities>[2],
): Promise<void> {
  for (const name of await listIdentities(home)) {
    const at = { home, name, crypto };
    const secret = await readIdentity({ ...at, ...keys }).catch((error: unknown) => {
      if (isNectarError(error, 'KEY_IDENTITY_INVALID')) return undefined;
      throw error;
    });
    if (secret === undefined) continue;
    await writeIdentity({ ...at, key: keys.key }, secret, randomBytes).finally(() => secret.fill(0));
  }
}
