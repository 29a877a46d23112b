import { loadConfig } from '../../appliance/config/index.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { readPassphrase } from '../passphrase.ts';
import { openKeys } from '../provision/process/open-keys.ts';
import type { Terminal } from '../terminal.ts';

export interface UnlockKeys {
  /** Where keys.json and config.json are. */
  readonly home: string;
  readonly terminal: Terminal;
  /** Instead of the configured one. */
  readonly keyFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

/**
 * The keys of a home, opened beside whatever process runs it: by its key file where one is configured, else with the passphrase. A key
 * file that is named but does not open them is an error, not a reason to ask.
 *
 * @throws NectarError KEY_FILE_MISSING, KEY_FILE_WRONG, KEY_PASSPHRASE_WRONG, CLI_PASSPHRASE_MISSING
 */
export async function unlockKeys({ home, terminal, keyFile, passphraseFile }: UnlockKeys): Promise<Keys> {
  const path = keyFile ?? loadConfig({ home, env: terminal.env }).config.keys.keyFile;
  const keys = await openKeys({ home, keyFile: path, now: () => terminal.now(), signal: terminal.signal });
  try {
    if (keys.state() === 'locked')
      await unlock(keys, { byFile: path !== '' && passphraseFile === undefined, terminal, passphraseFile });
    return keys;
  } catch (error) {
    await keys.stop();
    throw error;
  }
}

async function unlock(
  keys: Keys,
  { byFile, terminal, passphraseFile }: { byFile: boolean; terminal: Terminal; passphraseFile: string | undefined },
): Promise<void> {
  // openKeys only says that it stayed locked; asked again, the key file says why.
  if (byFile) return keys.unlock({ provider: 'file' });
  const passphrase = await readPassphrase(terminal, passphraseFile);
  try {
    await keys.unlock({ provider: 'passphrase', passphrase });
  } finally {
    passphrase.fill(0);
  }
}
