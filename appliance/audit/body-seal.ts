import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
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
}

/**
 * AES-256-GCM under a key per bundle and epoch, HKDF-SHA256(audit-body key, origin, bundle number): so at most 256 random nonces
 * meet one key, however long the log grows, and a crash that gives an index away twice repeats no nonce.
 * The associated data binds origin, index and leaf hash: a body that was moved does not open.
 */
export function createBodySealer(
  key: Uint8Array,
  epochs: Pick<Epochs, 'sealedAs'>,
  randomBytes: (length: number) => Uint8Array,
): BodySealer {
  let current: { origin: string; bundle: number; key: KeyObject } | undefined;
  const bundleKey = (place: BodyPlace): KeyObject => {
    const bundle = Math.floor(place.index / TILE_WIDTH);
    const origin = epochs.sealedAs(place);
    if (current?.bundle !== bundle || current.origin !== origin) {
      const bytes = hkdfSync('sha256', key, origin, `nectar/audit-body/1/${bundle}`, 32);
      current = { origin, bundle, key: createSecretKey(new Uint8Array(bytes)) };
    }
    return current.key;
  };
  const associated = (place: BodyPlace): Buffer => {
    const head = `nectar/audit-body/1\n${epochs.sealedAs(place)}\n${place.index}\n`;
    return Buffer.concat([Buffer.from(head), place.leafHash]);
  };

  return {
    seal(place, { salt, body }) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', bundleKey(place), nonce).setAAD(associated(place));
      return Buffer.concat([nonce, cipher.update(Buffer.concat([salt, body])), cipher.final(), cipher.getAuthTag()]);
    },
    open(place, sealed) {
      const tagAt = sealed.length - TAG_BYTES;
      if (tagAt < NONCE_BYTES + BODY_SALT_BYTES)
        throw new NectarError('AUDIT_BODY_INVALID', { index: place.index, reason: 'it is too short' });
      const decipher = createDecipheriv('aes-256-gcm', bundleKey(place), sealed.subarray(0, NONCE_BYTES)).setAAD(
        associated(place),
      );
      decipher.setAuthTag(sealed.subarray(tagAt));
      try {
        const plain = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
        return { salt: plain.subarray(0, BODY_SALT_BYTES), body: plain.subarray(BODY_SALT_BYTES) };
      } catch (error) {
        throw new NectarError(
          'AUDIT_BODY_INVALID',
          { index: place.index, reason: 'it does not authenticate' },
          { cause: error },
        );
      }
    },
  };
}
