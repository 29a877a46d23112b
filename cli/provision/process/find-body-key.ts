import type { Terminal } from '../../terminal.ts';
import { openKeys } from './open-keys.ts';

export interface FindBodyKey {
  /** Where keys.json and the sealed identities are. */
  readonly home: string;
  /** Empty: only a passphrase opens the keys. */
  readonly keyFile: string;
  readonly passphrase: Uint8Array | undefined;
  readonly terminal: Terminal;
}

/**
 * The key of the audit log's bodies, of a node that is down; undefined when neither its key file nor a passphrase opens it here.
 *
 * @throws NectarError KEY_PASSPHRASE_WRONG
 */
export async function findBodyKey({
  home,
  keyFile,
  passphrase,
  terminal,
}: FindBodyKey): Promise<Uint8Array | undefined> {
  const keys = await openKeys({ home, keyFile, now: () => terminal.now(), signal: terminal.signal });
  try {
    if (passphrase !== undefined) await keys.unlock({ provider: 'passphrase', passphrase });
    return keys.state() === 'unlocked' ? keys.derive('audit-body') : undefined;
  } finally {
    await keys.stop();
  }
}
