import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { replaceFile } from '../../appliance/durable-file.ts';
import { issueByCa } from '../../appliance/gateway/certificate-renewal.ts';
import { certificateNames, isRenewalDue, permittedNames } from '../../appliance/gateway/tls.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { IDENTITIES } from '../../appliance/keys/node-identity.ts';

export interface RenewRequest {
  readonly home: string;
  readonly keys: Pick<Keys, 'openIdentity'>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Further ones, beside those of the old certificate, as far as the CA may certify them. */
  readonly names?: readonly string[] | undefined;
}

/** True when the server certificate of a home is missing, unreadable or near its end. */
export async function isCertificateDue(home: string, now: number): Promise<boolean> {
  try {
    return isRenewalDue(await readFile(join(home, 'tls', 'server.crt'), 'utf8'), now);
  } catch {
    return true;
  }
}

/**
 * Issues a new server certificate, for the names of the old one and of this machine, of a home that no process runs. Key first, then
 * certificate: a crash in between leaves a pair that does not match, which the next renewal replaces.
 *
 * @throws NectarError KEY_LOCKED, KEY_IDENTITY_MISSING, NODE_DISK_FULL
 */
export async function renewCertificate({ home, keys, now, names = [] }: RenewRequest): Promise<void> {
  const at = (name: string): string => join(home, 'tls', name);
  const issue = issueByCa({
    nodeId: readPublicIdentity(home).nodeId,
    caPath: at('ca.crt'),
    openCaKey: () => keys.openIdentity(IDENTITIES.tlsCa),
  });
  const wished = names.length === 0 ? [] : permittedNames(await readFile(at('ca.crt'), 'utf8'), names);
  const made = await issue({ hostName: hostname(), names: [...(await oldNames(at('server.crt'))), ...wished], now });
  await replaceFile(at('server.key'), made.serverKey, 0o600);
  await replaceFile(at('server.crt'), made.serverCertificate, 0o644);
}

async function oldNames(path: string): Promise<string[]> {
  try {
    return certificateNames(await readFile(path, 'utf8'));
  } catch {
    return [];
  }
}
