import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { NectarError } from '../../protocol/errors.ts';
import { readKeyFile } from './file-provider.ts';
import type { FileEntry, KeyStoreFile, PassphraseEntry } from './key-store-file.ts';
import { openByFile, openByPassphrase } from './root-key.ts';
import type { UnlockGate } from './unlock-gate.ts';

/** The root key by the key file. KEY_PROVIDER_UNAVAILABLE, KEY_FILE_*. */
export async function rootByFile(
  store: KeyStoreFile,
  from: { readonly home: string; readonly keyFile: string; readonly crypto: EnvelopeCrypto },
): Promise<Uint8Array> {
  const entries = store.providers.filter((entry): entry is FileEntry => entry.provider === 'file');
  if (entries.length === 0 || from.keyFile === '') {
    throw new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider: 'key file' });
  }
  const secret = await readKeyFile(from.keyFile, from.home);
  try {
    for (const entry of entries) {
      const root = openByFile(entry, secret.slice(), from.crypto);
      if (root !== undefined) return root;
    }
  } finally {
    secret.fill(0);
  }
  throw new NectarError('KEY_FILE_WRONG', { path: from.keyFile });
}

/** The root key by passphrase, after its turn and its delay. KEY_PROVIDER_UNAVAILABLE, KEY_PASSPHRASE_WRONG, KEY_UNLOCK_BUSY. */
export async function rootByPassphrase(
  store: KeyStoreFile,
  passphrase: Uint8Array,
  by: { readonly gate: UnlockGate; readonly crypto: EnvelopeCrypto },
): Promise<Uint8Array> {
  const entry = store.providers.find((candidate): candidate is PassphraseEntry => candidate.provider === 'passphrase');
  if (entry === undefined) throw new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider: 'passphrase' });
  let root: Uint8Array | undefined;
  await by.gate.run(async () => {
    root = await openByPassphrase(entry, passphrase, by.crypto);
    return root !== undefined;
  });
  if (root === undefined) throw new NectarError('KEY_PASSPHRASE_WRONG', {});
  return root;
}
