import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { PeerIdText } from '../../protocol/brand.ts';

const PRIVATE = [/^10\./, /^127\./, /^169\.254\./, /^192\.168\./, /^172\.(1[6-9]|2[0-9]|3[01])\./];

/**
 * Where a member's registered address lies, as far as an owner can see it: the network (24 bits of an IPv4 address, 48 of an IPv6 one)
 * stands for the site, 16 or 32 bits for the system. Of a name, or an address that is not of the Internet, nothing follows: such a member
 * stands for itself.
 */
export function placeOfAddresses(
  peerId: PeerIdText,
  addresses: readonly string[],
): { readonly site: string; readonly system: number } {
  for (const address of addresses) {
    const [, kind, host = ''] = address.split('/');
    if (kind === 'ip4' && isIPv4(host) && !PRIVATE.some((range) => range.test(host))) {
      const parts = host.split('.');
      return { site: parts.slice(0, 3).join('.'), system: numberOf(parts.slice(0, 2).join('.')) };
    }
    if (kind === 'ip6' && isIPv6(host) && /^[23]/.test(host)) {
      const parts = host.split(':');
      return { site: parts.slice(0, 3).join(':'), system: numberOf(parts.slice(0, 2).join(':')) };
    }
  }
  return { site: peerId, system: numberOf(peerId) };
}

function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}
