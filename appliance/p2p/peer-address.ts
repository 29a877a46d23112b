import { BlockList, isIP } from 'node:net';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { PeerIdText } from '../../protocol/brand.ts';

/** NodeRegistry takes no more addresses of a node, and no longer ones. */
export const MAX_ADDRESSES = 8;
const MAX_ADDRESS_LENGTH = 128;
const ADDRESS =
  /^\/(ip4|ip6|dns|dns4|dns6)\/([A-Za-z0-9.:-]{1,100})\/tcp\/([0-9]{1,5})(?:\/p2p\/([1-9A-Za-z]{1,64}))?$/;

const PRIVATE = privateRanges();

/**
 * The addresses of a member that this node may dial, each ending in the member's peer id. Adversary: a member who
 * registers addresses of our own network, to have us knock at its doors; without `allowPrivate` those are left out.
 */
export function dialableAddresses(
  peerId: PeerIdText,
  addresses: readonly string[],
  allowPrivate: boolean,
): Multiaddr[] {
  return addresses.slice(0, MAX_ADDRESSES).flatMap((text) => {
    const parts = text.length <= MAX_ADDRESS_LENGTH ? ADDRESS.exec(text) : null;
    const [, , host = '', port = '', claimed = peerId] = parts ?? [];
    if (parts === null || claimed !== peerId) return [];
    if (!allowPrivate && isPrivate(host)) return [];
    try {
      return [multiaddr(`/${parts[1]}/${host}/tcp/${port}/p2p/${peerId}`)];
    } catch {
      return [];
    }
  });
}

/** True for a multiaddr of this machine or of a private network; also for one that is not understood. */
export function isPrivateAddress(address: string): boolean {
  const host = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]{1,253})\//.exec(address)?.[1];
  return host === undefined || isPrivate(host);
}

function isPrivate(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost') || !host.includes('.');
  return PRIVATE.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** RFC 6890 special-purpose ranges that no peer of a public network has. */
function privateRanges(): BlockList {
  const ranges = new BlockList();
  for (const [net, prefix] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['224.0.0.0', 3],
  ] as const) {
    ranges.addSubnet(net, prefix, 'ipv4');
    // IPv4-mapped IPv6 reaches the same host
    ranges.addSubnet(`::ffff:${net}`, 96 + prefix, 'ipv6');
  }
  ranges.addAddress('::', 'ipv6');
  ranges.addAddress('::1', 'ipv6');
  ranges.addSubnet('fc00::', 7, 'ipv6');
  ranges.addSubnet('fe80::', 10, 'ipv6');
  ranges.addSubnet('ff00::', 8, 'ipv6');
  return ranges;
}
