import { randomBytes } from 'node:crypto';
import { createKeys, type Keys, nodeEnvelopeCrypto, runTool } from '../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../appliance/telemetry/index.ts';

export interface OpenKeysOptions {
  readonly home: string;
  /** Empty: only a passphrase opens them. */
  readonly keyFile: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** $CREDENTIALS_DIRECTORY, where systemd runs this command. */
  readonly credentials?: string | undefined;
}

/** The keys service of a home that no process runs, started: open when its key file opens it, else locked. */
export async function openKeys({ home, keyFile, now, signal, credentials }: OpenKeysOptions): Promise<Keys> {
  const keys = createKeys(
    { home, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 },
    {
      crypto: nodeEnvelopeCrypto,
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      now: () => new Date(now()),
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      run: runTool,
      credentials,
    },
  );
  await keys.start(signal);
  return keys;
}
