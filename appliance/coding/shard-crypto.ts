import { createCipheriv } from 'node:crypto';
import type { ShardCrypto } from '../../protocol/coding/whitening.ts';
import { nodeEnvelopeCrypto } from '../node-envelope-crypto.ts';

/** OpenSSL takes the counter (4 bytes) and the nonce (12) as one. */
const COUNTER_AND_NONCE = new Uint8Array(16);

/** The primitives of whitening by node:crypto (OpenSSL). */
export const nodeShardCrypto: ShardCrypto = {
  hkdf: nodeEnvelopeCrypto.hkdf,
  chacha20(key, bytes, room) {
    room.set(createCipheriv('chacha20', key, COUNTER_AND_NONCE).update(bytes));
  },
};
