import { NectarError } from '../../../protocol/errors.ts';
import type { UnlockProvider } from '../provider.ts';
import { commandProvider } from './command.ts';
import { fileProvider } from './file.ts';
import { passphraseProvider } from './passphrase.ts';
import { pkcs11Provider } from './pkcs11.ts';
import { systemdProvider } from './systemd.ts';
import { tpm2Provider } from './tpm2.ts';

/** Every way to open the root key, in the order in which the wizard and the help texts offer them. */
export const PROVIDERS: readonly UnlockProvider[] = [
  passphraseProvider,
  fileProvider,
  commandProvider,
  systemdProvider,
  tpm2Provider,
  pkcs11Provider,
];

/** @throws NectarError KEY_PROVIDER_UNKNOWN */
export function getProvider(name: string): UnlockProvider {
  const found = PROVIDERS.find((provider) => provider.name === name);
  if (found === undefined)
    throw new NectarError('KEY_PROVIDER_UNKNOWN', { provider: name, known: PROVIDERS.map((known) => known.name) });
  return found;
}
