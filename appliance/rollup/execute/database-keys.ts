import { createHmac, createSecretKey } from 'node:crypto';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';

/** What lies where. A key is the kind's byte and a hash: the preimage's own, or an HMAC of a name. */
const KIND = {
  preimage: 1,
  block: 2,
  receipts: 3,
  canonical: 4,
  transaction: 5,
  heads: 6,
  record: 7,
  group: 8,
  format: 9,
} as const;
export type Kind = keyof typeof KIND;

/** The one name that is not hidden: opened with another key the database must be refused, not taken for a new one. */
export const HEADS_KEY = Uint8Array.of(KIND.heads);

/** Of the number of the format, which a program must be able to read that cannot read the rest. */
export const FORMAT_KEY = Uint8Array.of(KIND.format);

export interface DatabaseKeys {
  /** Where it is told in which group a preimage lies. */
  preimage(hash: Uint8Array): Uint8Array;
  byHash(kind: 'block' | 'receipts' | 'transaction', hash: Hex): Uint8Array;
  byName(kind: 'canonical' | 'record', name: string): Uint8Array;
  /** Of a group of preimages, by its place (execute/packed-preimages.ts). */
  group(place: Uint8Array): Uint8Array;
}

/** Names of database entries that tell whoever holds the disk nothing but public hashes. */
export function createDatabaseKeys(databaseKey: Uint8Array): DatabaseKeys {
  const nameKey = createSecretKey(createHmac('sha256', databaseKey).update('nectar rollup database names').digest());
  return {
    byHash: (kind, hash) => Buffer.concat([Uint8Array.of(KIND[kind]), hexToBytes(hash)]),
    preimage: (hash) => Buffer.concat([Uint8Array.of(KIND.preimage), hash]),
    group: (place) => Buffer.concat([Uint8Array.of(KIND.group), place]),
    byName(kind, name) {
      const mac = createHmac('sha256', nameKey).update(`${kind}:${name}`).digest();
      return Buffer.concat([Uint8Array.of(KIND[kind]), mac]);
    },
  };
}
