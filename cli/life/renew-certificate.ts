import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { certificateNames, isRenewalDue, renewServerCertificate } from '../../appliance/gateway/tls.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { IDENTITIES } from '../provision/process/identities.ts';
import { readSmallFile } from './backup/small-files.ts';
import { replaceFile } from './replace-file.ts';

export interface RenewRequest {
  readonly home: string;
  readonly keys: Pick<Keys, 'openIdentity'>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** True when the server certificate of a home is missing or near its end. */
export async function isCertificateDue(home: string, now: number): Promise<boolean> {
  const pem = await readSmallFile(join(home, 'tls', 'server.crt'));
  return pem === undefined || isRenewalDue(Buffer.from(pem).toString('utf8'), now);
}

/**
 * Issues a new server certificate, for the names of the old one and of this machine. Key first, then certificate: a crash in between
 * leaves a pair that does not match, which the next renewal replaces.
 *
 * @throws NectarError KEY_LOCKED, KEY_IDENTITY_MISSING
 */
export async function renewCertificate({ home, keys, now }: RenewRequest): Promise<void> {
  const tls = join(home, 'tls');
  const { nodeId } = readPublicIdentity(home);
  const caCertificate = await readFile(join(tls, 'ca.crt'), 'utf8');
  const old = await readSmallFile(join(tls, 'server.crt'));
  const names = old === undefined ? [] : certificateNames(Buffer.from(old).toString('utf8'));
  const caKey = await keys.openIdentity(IDENTITIES.tlsCa);
  try {
    const issue = (hostName: string) => renewServerCertificate({ nodeId, hostName, names, now, caCertificate, caKey });
    // Another machine after a restore: the CA may be constrained to the names of the old one.
    const made = await issue(hostname()).catch((error: unknown) => {
      if (!isNectarError(error, 'GATEWAY_CERTIFICATE_NAME_EXCLUDED')) throw error;
      return issue('localhost');
    });
    await replaceFile(join(tls, 'server.key'), made.serverKey, 0o600);
    await replaceFile(join(tls, 'server.crt'), made.serverCertificate, 0o644);
  } finally {
    caKey.fill(0);
  }
}
