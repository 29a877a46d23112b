import type { X509Certificate } from 'node:crypto';
import type { SplitRole } from '../table.ts';

const ROLES: readonly SplitRole[] = ['gateway', 'store', 'audit', 'rollup'];
const DOMAIN = 'nectar.internal';
/** id-kp-serverAuth and id-kp-clientAuth (RFC 5280, 4.2.1.12): a role calls and is called. */
const PURPOSES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

/** The one DNS name of a role's certificate. It names the role of a node, not a host: addresses in a cluster change. */
export function roleName(role: SplitRole, instance: string): string {
  return `${role}.${instance}.${DOMAIN}`;
}

/** What a certificate says of its holder: its role in this node, or why it has none. */
export type Holder = { readonly role: SplitRole } | { readonly role?: undefined; readonly misfit: string };

/**
 * Reads the role from a certificate whose chain was verified. The name has to be its only one and exact, so that no wildcard and no
 * second name stands for another role: OpenSSL's text of any other set of names is not equal to this one.
 */
export function holderOf(certificate: X509Certificate, instance: string): Holder {
  if (certificate.ca) return { misfit: 'it is that of an authority' };
  if (!PURPOSES.every((purpose) => certificate.keyUsage?.includes(purpose)))
    return { misfit: 'it is not for both ends of TLS (serverAuth and clientAuth)' };
  const role = ROLES.find((one) => certificate.subjectAltName === `DNS:${roleName(one, instance)}`);
  return role === undefined ? { misfit: `its only name is not that of a role of ${instance}` } : { role };
}
