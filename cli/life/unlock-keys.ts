import { loadConfig } from '../../appliance/config/index.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { readPassphrase } from '../passphrase.ts';
import { openKeys } from '../provision/process/open-keys.ts';
import type { Terminal } from '../terminal.ts';
import { readRootKey } from './recovery/share.ts';

export interface UnlockKeys {
  /** Where keys.json and config.json are. */
  readonly home: string;
  readonly terminal: Terminal;
  /** Instead of the configured one. */
  readonly keyFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
  /** Decrypted shares of a recovery kit, instead of any provider. */
  readonly shares?: readonly string[] | undefined;
}

/**
 * The keys of a home, opened beside whatever process runs it: by its key file where one is configured, else with the passphrase. A key
 * file that is named but does not open them is an error, not a reason to ask.
 *
 * @throws NectarError KEY_FILE_MISSING, KEY_FILE_WRONG, KEY_PASSPHRASE_WRONG, CLI_PASSPHRASE_MISSING
 */
export async function unlockKeys({ home, terminal, keyFile, passphraseFile, shares }: UnlockKeys): Promise<Keys> {
  const path = keyFile ?? loadConfig({ home, env: terminal.env }).config.keys.keyFile;
  const credentials = terminal.env.CREDENTIALS_DIRECTORY;
  const { signal } = terminal;
  const keys = await openKeys({ home, keyFile: path, now: () => terminal.now(), signal, credentials });
  try {
    if (shares !== undefined && shares.length > 0 && keys.state() === 'locked')
      keys.openWithRoot((await readRootKey(shares)).root);
    if (keys.state() === 'locked')
      await unlock(keys, { terminal, passphraseFile, byItself: opensByItself(keys) && passphraseFile === undefined });
    return keys;
  } catch (error) {
    await keys.stop();
    throw error;
  }
}

function opensByItself(keys: Keys): boolean {
  return keys.providers().some(({ attended }) => !attended);
}

async function unlock(
  keys: Keys,
  { byItself, terminal, passphraseFile }: { byItself: boolean; terminal: Terminal; passphraseFile: string | undefined },
): Promise<void> {
  // openKeys only says that it stayed locked; asked again, the provider says why.
  if (byItself) return keys.unlock({ provider: 'any' });
  const passphrase = await readPassphrase(terminal, passphraseFile);
  try {
    await keys.unlock({ provider: 'passphrase', passphrase });
  } finally {
    passphrase.fill(0);
  }
}
