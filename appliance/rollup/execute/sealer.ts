import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** Seals database values: AES-256-GCM, bound to the database key under which the value lies, so that values cannot be swapped. */
export interface Sealer {
  seal(key: Uint8Array, value: Uint8Array): Uint8Array;
  /** Undefined when the value does not authenticate under this key. */
  open(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

const SESSION_BYTES = 16;
const COUNTER_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = SESSION_BYTES + COUNTER_BYTES + TAG_BYTES;
const INFO = 'nectar rollup database v1';

/** How many sessions' keys are kept; a session is one opening of the database. */
const MAX_SESSION_KEYS = 256;

/**
 * A value is session (16 bytes) | counter (12) | tag (16) | ciphertext. Each opening of the database draws a random session and
 * derives its own key (HKDF-SHA256), and counts values as nonces: so no nonce repeats, even when an old copy of the database
 * is put back, and there is no limit of 2^32 values as there is for random nonces under one key.
 */
export function createSealer(databaseKey: Uint8Array, randomBytes: (size: number) => Uint8Array): Sealer {
  const keys = new Map<string, KeyObject>();
  const sessionKey = (session: Uint8Array): KeyObject => {
    const name = Buffer.from(session).toString('latin1');
    const known = keys.get(name);
    if (known !== undefined) return known;
    const key = createSecretKey(new Uint8Array(hkdfSync('sha256', databaseKey, session, INFO, 32)));
    if (keys.size >= MAX_SESSION_KEYS) keys.clear();
    keys.set(name, key);
    return key;
  };
  const session = randomBytes(SESSION_BYTES);
  const current = sessionKey(session);
  let counter = 0n;

  return {
    seal(key, value) {
      const nonce = Buffer.alloc(COUNTER_BYTES);
      nonce.writeBigUInt64BE(counter, COUNTER_BYTES - 8);
      counter += 1n;
      const cipher = createCipheriv('aes-256-gcm', current, nonce);
      cipher.setAAD(key);
      const body = cipher.update(value);
      cipher.final();
      return Buffer.concat([session, nonce, cipher.getAuthTag(), body]);
    },
    open(key, sealed) {
      if (sealed.length < OVERHEAD_BYTES) return undefined;
      const nonce = sealed.subarray(SESSION_BYTES, SESSION_BYTES + COUNTER_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', sessionKey(sealed.subarray(0, SESSION_BYTES)), nonce);
      decipher.setAAD(key);
      decipher.setAuthTag(sealed.subarray(SESSION_BYTES + COUNTER_BYTES, OVERHEAD_BYTES));
      const value = decipher.update(sealed.subarray(OVERHEAD_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return new Uint8Array(value);
    },
  };
}
