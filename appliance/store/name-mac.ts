import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const MAC_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** Names are ids, CIDs and labels; a longer one gets a buffer of its own. */
const ROOM_BYTES = 512;

/** HMAC-SHA256 of a text, as Latin-1: a byte a character. */
export type NameMac = (text: string) => string;

/**
 * HMAC (RFC 2104) by two one-shot hashes: a put makes eight, and an Hmac object costs more than twice as much. Not for secrets: what
 * it makes lies in strings, which nobody can wipe. Names of the index lie on the disk anyhow.
 *
 * @param key 32 bytes
 */
export function createNameMac(key: Uint8Array): NameMac {
  if (key.length > BLOCK_BYTES) throw new RangeError('a key is at most one block of the hash');
  const room = Buffer.alloc(BLOCK_BYTES + ROOM_BYTES).fill(INNER, 0, BLOCK_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + MAC_BYTES).fill(OUTER, 0, BLOCK_BYTES);
  for (const [i, byte] of key.entries()) {
    room[i] = byte ^ INNER;
    outer[i] = byte ^ OUTER;
  }
  const innerOf = (text: string): Buffer => {
    const bytes = Buffer.byteLength(text);
    if (bytes > ROOM_BYTES) return Buffer.concat([room.subarray(0, BLOCK_BYTES), Buffer.from(text)]);
    return room.subarray(0, BLOCK_BYTES + room.write(text, BLOCK_BYTES));
  };
  return (text) => {
    outer.write(hash('sha256', innerOf(text), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'binary');
  };
}
