import { BlockList, isIP } from 'node:net';

const MAPPED_V4 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
/** One customer of a provider commonly has a /64: its addresses are one peer's. */
const V6_NETWORK_GROUPS = 4;
const V6_GROUPS = 8;

/** Whom an address counts as: an IPv4 address itself, of an IPv6 address its /64. Text that is no address is its own network. */
export function networkOf(address: string): string {
  const mapped = MAPPED_V4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const plain = address.split('%')[0] ?? '';
  if (isIP(plain) !== 6) return plain;
  const [head = [], tail = []] = plain.split('::').map((side) => side.split(':').filter((group) => group !== ''));
  const zeros = plain.includes('::')
    ? Array.from({ length: Math.max(0, V6_GROUPS - head.length - tail.length) }, () => '0')
    : [];
  const groups = [...head, ...zeros, ...tail].slice(0, V6_NETWORK_GROUPS);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** Whether an address lies in one of `networks` (addresses, or CIDR blocks); loopback always does. Text that is neither is left out. */
export function createTrust(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    const widest = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? widest : Number(bits);
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > widest) continue;
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return (address) => {
    const plain = MAPPED_V4.exec(address)?.[1] ?? address.split('%')[0] ?? '';
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}
