import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { KeyStore, ProviderEntry } from './key-store-schema.ts';
import type { ProviderHost } from './provider.ts';
import { getProvider } from './providers/registry.ts';
import { openRoot } from './root-key.ts';
import type { UnlockGate } from './unlock-gate.ts';

/** What somebody hands over to open the node: a passphrase, or the word that it may try by itself (`any`, or one provider's name). */
export type UnlockSecret = { readonly provider: string; readonly passphrase?: Uint8Array };

export interface Opened {
  readonly root: Uint8Array;
  /** Which entry opened it. */
  readonly by: string;
}

export function isAttended(entry: ProviderEntry): boolean {
  return getProvider(entry.provider).attended;
}

/**
 * The root key by a provider that needs nobody: each of the name (`any`: of every name), in the order of the list.
 *
 * @throws NectarError KEY_PROVIDER_UNAVAILABLE when none is enrolled; else why the first did not open it
 */
export async function openUnattended(store: KeyStore, name: string, host: ProviderHost): Promise<Opened> {
  const entries = store.providers.filter((entry) => !isAttended(entry) && (name === 'any' || entry.provider === name));
  let first: unknown;
  for (const entry of entries) {
    try {
      return { root: await openRoot(entry, host), by: entry.id };
    } catch (error) {
      if (!isNectarError(error)) throw error;
      first ??= error;
    }
  }
  throw first ?? new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider: titleOf(name) });
}

/**
 * The root key by passphrase, after its turn and its delay. With several enrolled each is tried; together they are one attempt.
 *
 * @throws NectarError KEY_PROVIDER_UNAVAILABLE, KEY_PASSPHRASE_WRONG, KEY_UNLOCK_BUSY
 */
export async function openAttended(
  store: KeyStore,
  { provider, passphrase }: UnlockSecret,
  { gate, host }: { readonly gate: UnlockGate; readonly host: ProviderHost },
): Promise<Opened> {
  const entries = store.providers.filter((entry) => entry.provider === provider);
  let opened: Opened | undefined;
  let wrong: unknown = new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider });
  if (entries.length === 0) throw wrong;
  await gate.run(async () => {
    for (const entry of entries) {
      try {
        opened ??= { root: await openRoot(entry, host, passphrase), by: entry.id };
      } catch (error) {
        if (!isNectarError(error)) throw error;
        wrong = error;
      }
    }
    return opened !== undefined;
  });
  if (opened === undefined) throw wrong;
  return opened;
}

function titleOf(name: string): string {
  return name === 'any' ? 'provider that needs nobody' : getProvider(name).title.replace(/^an? /, '');
}
