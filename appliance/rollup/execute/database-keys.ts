import { createHmac, createSecretKey } from 'node:crypto';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';

/** What lies where. A key is the kind's byte and a hash: the preimage's own, or an HMAC of a name. */
const KIND = { preimage: 1, block: 2, receipts: 3, canonical: 4, transaction: 5, heads: 6, record: 7 } as const;
export type Kind = keyof typeof KIND;

/** The one name that is not hidden: opened with another key the database must be refused, not taken for a new one. */
export const HEADS_KEY = Uint8Array.of(KIND.heads);

export interface DatabaseKeys {
  byHash(kind: 'preimage' | 'block' | 'receipts' | 'transaction', hash: Hex): Uint8Array;
  byName(kind: 'canonical' | 'record', name: string): Uint8Array;
}

/** Names of database entries that tell whoever holds the disk nothing but public hashes. */
export function createDatabaseKeys(databaseKey: Uint8Array): DatabaseKeys {
  const nameKey = createSecretKey(createHmac('sha256', databaseKey).update('nectar rollup database names').digest());
  return {
    byHash: (kind, hash) => Buffer.concat([Uint8Array.of(KIND[kind]), hexToBytes(hash)]),
    byName(kind, name) {
      const mac = createHmac('sha256', nameKey).update(`${kind}:${name}`).digest();
      return Buffer.concat([Uint8Array.of(KIND[kind]), mac]);
    },
  };
}
