import { createHash } from 'node:crypto';

/** Namespace of all names below: a random UUID, chosen once for this program. */
const NAMESPACE = 'a4c4f21a-4a0e-4707-be12-70eb26acc177';

/**
 * UUID of version 5 (RFC 9562, 5.5) of a name: the same name always has the same UUID, so that two reports of one node speak of the
 * same check, subject and risk by the same identifier.
 */
export function uuidOf(...name: readonly string[]): string {
  const hash = createHash('sha1').update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'));
  const bytes = hash.update(JSON.stringify(name)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
