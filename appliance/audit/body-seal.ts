import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { parseBodySecret } from '../../protocol/envelope/body-secret.ts';
import { NectarError } from '../../protocol/errors.ts';
import { BODY_SALT_BYTES } from '../../protocol/merkle/audit-leaf.ts';
import { leafHash } from '../../protocol/merkle/hash.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { EPOCH_LEAF } from './declared-epoch.ts';
import type { Epochs } from './epochs.ts';

/** Fresh random bytes that sealing a body needs. */
export const BODY_NONCE_BYTES = 12;
const NONCE_BYTES = BODY_NONCE_BYTES;
const TAG_BYTES = 16;

/** A body with the salt that its leaf's hash was made with. */
export interface OpenBody {
  readonly salt: Uint8Array;
  readonly body: Uint8Array;
}

/** Where a sealed body belongs: it opens nowhere else. */
export interface BodyPlace {
  readonly index: number;
  /** 32 bytes. */
  readonly leafHash: Uint8Array;
  /** Whether the leaf begins an epoch. */
  readonly beginsEpoch: boolean;
}

/** The place of a leaf's body. @param hash the leaf's hash, when it is known already */
export function placeOf(index: number, leaf: Uint8Array, hash: Uint8Array = leafHash(leaf)): BodyPlace {
  return { index, leafHash: hash, beginsEpoch: beginsEpoch(leaf) };
}

const EPOCH_TYPE = Buffer.from(`"type":"${EPOCH_LEAF}"`);

/** Whether a leaf's canonical JSON is of type `audit.epoch`: no other field of a leaf can hold a quote. */
export function beginsEpoch(leaf: Uint8Array): boolean {
  return Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length).includes(EPOCH_TYPE);
}

/** Seals the bodies of one log. */
export interface BodySealer {
  /** nonce | ciphertext of (salt | body) | tag. */
  seal(place: BodyPlace, open: OpenBody): Uint8Array;
  /** Throws AUDIT_BODY_INVALID. */
  open(place: BodyPlace, sealed: Uint8Array): OpenBody;
  /** Whether a body is sealed by the newest key. */
  isNewest(place: BodyPlace, sealed: Uint8Array): boolean;
}

/**
 * AES-256-GCM under a key per bundle and epoch, HKDF-SHA256(audit-body key, origin, bundle number): so at most 256 random nonces
 * meet one key, however long the log grows, and a crash that gives an index away twice repeats no nonce.
 * The associated data binds origin, index and leaf hash: a body that was moved does not open. Of a secret with several keys the first
 * one seals, and all are tried to open, the one that opened last before the others: a log is sealed by one key for long stretches.
 */
export function createBodySealer(
  secret: Uint8Array,
  epochs: Pick<Epochs, 'sealedAs'>,
  randomBytes: (length: number) => Uint8Array,
): BodySealer {
  const [newest, ...former] = parseBodySecret(secret).map((key) => createBundleKeys(key, epochs));
  if (newest === undefined) throw new RangeError('a secret of bodies has no key');
  let lucky = newest;
  const associated = (place: BodyPlace): Buffer => {
    const head = `nectar/audit-body/1\n${epochs.sealedAs(place)}\n${place.index}\n`;
    return Buffer.concat([Buffer.from(head), place.leafHash]);
  };

  const openBy = (key: KeyObject, place: BodyPlace, sealed: Uint8Array): Buffer | undefined => {
    const tagAt = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES)).setAAD(associated(place));
    decipher.setAuthTag(sealed.subarray(tagAt));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
    } catch {
      return undefined;
    }
  };

  return {
    seal(place, { salt, body }) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', newest(place), nonce).setAAD(associated(place));
      return Buffer.concat([nonce, cipher.update(Buffer.concat([salt, body])), cipher.final(), cipher.getAuthTag()]);
    },
    open(place, sealed) {
      const tagAt = sealed.length - TAG_BYTES;
      if (tagAt < NONCE_BYTES + BODY_SALT_BYTES)
        throw new NectarError('AUDIT_BODY_INVALID', { index: place.index, reason: 'it is too short' });
      for (const keyOf of new Set([lucky, newest, ...former])) {
        const plain = openBy(keyOf(place), place, sealed);
        if (plain === undefined) continue;
        lucky = keyOf;
        return { salt: plain.subarray(0, BODY_SALT_BYTES), body: plain.subarray(BODY_SALT_BYTES) };
      }
      throw new NectarError('AUDIT_BODY_INVALID', { index: place.index, reason: 'it does not authenticate' });
    },
    isNewest: (place, sealed) =>
      sealed.length >= NONCE_BYTES + TAG_BYTES && openBy(newest(place), place, sealed) !== undefined,
  };
}

/** The key of a place under one key of the secret; the last one is kept at hand. */
function createBundleKeys(key: Uint8Array, epochs: Pick<Epochs, 'sealedAs'>): (place: BodyPlace) => KeyObject {
  let current: { origin: string; bundle: number; key: KeyObject } | undefined;
  return (place) => {
    const bundle = Math.floor(place.index / TILE_WIDTH);
    const origin = epochs.sealedAs(place);
    if (current?.bundle !== bundle || current.origin !== origin) {
      const bytes = hkdfSync('sha256', key, origin, `nectar/audit-body/1/${bundle}`, 32);
      current = { origin, bundle, key: createSecretKey(new Uint8Array(bytes)) };
    }
    return current.key;
  };
}
