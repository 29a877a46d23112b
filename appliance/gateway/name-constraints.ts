import { isIP } from 'node:net';

/** GeneralName choices (RFC 5280, 4.2.1.6). */
const DNS_TAG = 0x82;
const IP_TAG = 0x87;

interface Element {
  readonly tag: number;
  readonly value: Uint8Array;
}

/** RFC 5280, 4.2.1.10. */
export const NAME_CONSTRAINTS_OID = '2.5.29.30';

/**
 * Addresses that every node's CA may certify: loopback and the private ranges (RFC 1918, RFC 4193), so that a new
 * address by DHCP needs no new CA. A stolen CA key, even one that the hospital's browsers trust, forges no public site.
 */
const PRIVATE_RANGES = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7'];

/** DER of NameConstraints with permitted subtrees only: the given DNS names, the given addresses, the private ranges. */
export function encodeNameConstraints(names: readonly string[]): Uint8Array {
  const dns = names.filter((name) => isIP(name) === 0);
  const ranges = [...PRIVATE_RANGES, ...names.filter((name) => isIP(name) !== 0).map(hostRange)];
  const subtrees = [
    ...dns.map((name) => tlv(DNS_TAG, Buffer.from(name, 'ascii'))),
    ...ranges.map((range) => tlv(IP_TAG, encodeRange(range))),
  ];
  return tlv(0x30, tlv(0xa0, Buffer.concat(subtrees.map((name) => tlv(0x30, name)))));
}

/** Whether a certificate for `name` passes the constraints (RFC 5280, 6.1.4 b: inside one permitted subtree of its kind). */
export function isPermittedName(constraints: Uint8Array, name: string): boolean {
  const inside = (elements: Element[]): Element[] => elements.flatMap((element) => [...values(element.value)]);
  const bases = inside(inside(inside([...values(constraints)])));
  if (isIP(name) === 0) {
    const permitted = bases
      .filter((base) => base.tag === DNS_TAG)
      .map((base) => Buffer.from(base.value).toString('ascii'));
    return permitted.some((base) => name === base || name.endsWith(`.${base}`));
  }
  const address = encodeAddress(name);
  return bases.some(({ tag, value }) => tag === IP_TAG && isInRange(address, value));
}

function isInRange(address: readonly number[], range: Uint8Array): boolean {
  if (range.length !== address.length * 2) return false;
  return address.every((octet, index) => (octet & (range[address.length + index] ?? 0)) === range[index]);
}

function hostRange(address: string): string {
  return `${address}/${isIP(address) === 4 ? 32 : 128}`;
}

/** Address followed by mask: 8 octets for IPv4, 32 for IPv6. */
function encodeRange(range: string): Uint8Array {
  const [address = '', bits = '0'] = range.split('/');
  const octets = encodeAddress(address);
  const mask = octets.map((_, index) => 0xff & ~(0xff >> Math.min(8, Math.max(0, Number(bits) - index * 8))));
  return Uint8Array.from([...octets.map((octet, index) => octet & (mask[index] ?? 0)), ...mask]);
}

/** The 4 or 16 octets of an address that isIP() accepts. */
export function encodeAddress(address: string): number[] {
  if (isIP(address) === 4) return address.split('.').map(Number);
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').flatMap(encodeGroup));
  const front = groups(head);
  const back = groups(tail ?? '');
  return [...front, ...Array<number>(Math.max(0, 16 - front.length - back.length)).fill(0), ...back];
}

function encodeGroup(group: string): number[] {
  if (group.includes('.')) return group.split('.').map(Number);
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

/** DER tag, length, value (X.690, 8.1.3). */
function tlv(tag: number, value: Uint8Array): Uint8Array {
  const length =
    value.length < 0x80
      ? [value.length]
      : value.length < 0x100
        ? [0x81, value.length]
        : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...length]), value]);
}

/** The elements of a DER content, one after the other; ends at the first that does not fit. */
function* values(bytes: Uint8Array): Generator<Element> {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const length =
      extra === 0 ? first : bytes.subarray(at + 2, at + 2 + extra).reduce((sum, octet) => sum * 256 + octet, 0);
    const start = at + 2 + extra;
    if (start + length > bytes.length) return;
    yield { tag, value: bytes.subarray(start, start + length) };
    at = start + length;
  }
}
