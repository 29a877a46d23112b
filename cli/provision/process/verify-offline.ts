import { join } from 'node:path';
import { type AuditVerdict, verifyAuditFolder } from '../../../appliance/audit/index.ts';
import { loadConfig, readPublicIdentity } from '../../../appliance/config/index.ts';
import type { Terminal } from '../../terminal.ts';
import { findBodyKey } from './find-body-key.ts';

export interface OfflineVerification {
  readonly home: string;
  readonly terminal: Terminal;
  readonly passphrase: Uint8Array | undefined;
  readonly say: (text: string) => void;
}

/**
 * Verifies the audit log of a home that no process runs, from its files alone. Bodies are opened when a key file or the passphrase
 * opens the keys; else the tree alone is checked. The chain is not asked: completeness stays unknown unless a witness signed.
 */
export async function verifyOffline({ home, terminal, passphrase, say }: OfflineVerification): Promise<AuditVerdict> {
  const { checkpointVkey } = readPublicIdentity(home);
  const { keyFile } = loadConfig({ home, env: terminal.env }).config.keys;
  const bodyKey = await findBodyKey({ home, keyFile, passphrase, terminal });
  try {
    return await verifyAuditFolder({
      folder: join(home, 'audit'),
      vkey: checkpointVkey,
      ...(bodyKey !== undefined && { bodyKey }),
      signal: terminal.signal,
      onProgress: ({ leaves, total }) => say(`${leaves} of ${total} leaves`),
    });
  } finally {
    bodyKey?.fill(0);
  }
}
