import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { replaceFile } from '../../appliance/durable-file.ts';
import { issueByCa } from '../../appliance/gateway/certificate-renewal.ts';
import {
  certificateNames,
  isAuthorityInForce,
  isRenewalDue,
  permittedNames,
  renewAuthority,
} from '../../appliance/gateway/tls.ts';
import type { Keys } from '../../appliance/keys/index.ts';
import { IDENTITIES } from '../../appliance/keys/node-identity.ts';

export interface RenewRequest {
  readonly home: string;
  readonly keys: Pick<Keys, 'openIdentity'>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Further ones, beside those of the old certificate, as far as the CA may certify them. */
  readonly names?: readonly string[] | undefined;
  /** The same, asked for by a person: one that the CA may not certify is an error. */
  readonly asked?: readonly string[] | undefined;
  /** The CA's own certificate too, for all of these names. Without it, only where it is not in force. */
  readonly authority?: boolean | undefined;
}

/** True when the server certificate of a home, or its CA's, is missing, unreadable, near its end, or before its beginning. */
export async function isCertificateDue(home: string, now: number): Promise<boolean> {
  try {
    const read = (name: string): Promise<string> => readFile(join(home, 'tls', name), 'utf8');
    return isRenewalDue(await read('server.crt'), now) || !isAuthorityInForce(await read('ca.crt'), now);
  } catch {
    return true;
  }
}

/**
 * Issues a new server certificate, for the names of the old one and of this machine, of a home that no process runs. Key first, then
 * certificate: a crash in between leaves a pair that does not match, which the next renewal replaces.
 *
 * A CA that is not in force, since a clock was wrong when it was made, is made anew first, with its own key.
 *
 * @throws NectarError KEY_LOCKED, KEY_IDENTITY_MISSING, GATEWAY_CERTIFICATE_NAME_EXCLUDED, NODE_DISK_FULL
 */
export async function renewCertificate(request: RenewRequest): Promise<void> {
  const { home, keys, now, names = [], asked = [] } = request;
  const at = (name: string): string => join(home, 'tls', name);
  const issue = issueByCa({
    nodeId: readPublicIdentity(home).nodeId,
    caPath: at('ca.crt'),
    openCaKey: () => keys.openIdentity(IDENTITIES.tlsCa),
  });
  if (request.authority === true || !isAuthorityInForce(await readFile(at('ca.crt'), 'utf8'), now))
    await makeAuthority(request);
  const wished = names.length === 0 ? [] : permittedNames(await readFile(at('ca.crt'), 'utf8'), names);
  const made = await issue({
    hostName: hostname(),
    names: [...(await oldNames(at('server.crt'))), ...wished, ...asked],
    now,
  });
  await replaceFile(at('server.key'), made.serverKey, 0o600);
  await replaceFile(at('server.crt'), made.serverCertificate, 0o644);
}

async function makeAuthority({ home, keys, now, names = [], asked = [] }: RenewRequest): Promise<void> {
  const path = join(home, 'tls', 'ca.crt');
  const caKey = await keys.openIdentity(IDENTITIES.tlsCa);
  try {
    const all = [...(await oldNames(join(home, 'tls', 'server.crt'))), ...names, ...asked];
    const { nodeId } = readPublicIdentity(home);
    const caCertificate = await readFile(path, 'utf8');
    const made = await renewAuthority({ nodeId, hostName: hostname(), names: all, now, caCertificate, caKey });
    await replaceFile(path, made, 0o644);
  } finally {
    caKey.fill(0);
  }
}

async function oldNames(path: string): Promise<string[]> {
  try {
    return certificateNames(await readFile(path, 'utf8'));
  } catch {
    return [];
  }
}
