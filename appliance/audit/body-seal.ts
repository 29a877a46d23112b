import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { NectarError } from '../../protocol/errors.ts';
import { BODY_SALT_BYTES } from '../../protocol/merkle/audit-leaf.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';

const NONCE_BYTES = 12;
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
}

/** Seals the bodies of one log. */
export interface BodySealer {
  /** nonce | ciphertext of (salt | body) | tag. */
  seal(place: BodyPlace, open: OpenBody): Uint8Array;
  /** Throws AUDIT_BODY_INVALID. */
  open(place: BodyPlace, sealed: Uint8Array): OpenBody;
}

/**
 * AES-256-GCM under a key per bundle, HKDF-SHA256(audit-body key, origin, bundle number): so at most 256 random nonces meet
 * one key, however long the log grows, and a crash that gives an index away twice repeats no nonce.
 * The associated data binds origin, index and leaf hash: a body that was moved does not open.
 */
export function createBodySealer(
  key: Uint8Array,
  origin: string,
  randomBytes: (length: number) => Uint8Array,
): BodySealer {
  let current: { bundle: number; key: KeyObject } | undefined;
  const bundleKey = (index: number): KeyObject => {
    const bundle = Math.floor(index / TILE_WIDTH);
    if (current?.bundle !== bundle) {
      const bytes = hkdfSync('sha256', key, origin, `nectar/audit-body/1/${bundle}`, 32);
      current = { bundle, key: createSecretKey(new Uint8Array(bytes)) };
    }
    return current.key;
  };
  const associated = ({ index, leafHash }: BodyPlace): Buffer =>
    Buffer.concat([Buffer.from(`nectar/audit-body/1\n${origin}\n${index}\n`), leafHash]);

  return {
    seal(place, { salt, body }) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', bundleKey(place.index), nonce).setAAD(associated(place));
      return Buffer.concat([nonce, cipher.update(salt), cipher.update(body), cipher.final(), cipher.getAuthTag()]);
    },
    open(place, sealed) {
      const tagAt = sealed.length - TAG_BYTES;
      if (tagAt < NONCE_BYTES + BODY_SALT_BYTES)
        throw new NectarError('AUDIT_BODY_INVALID', { index: place.index, reason: 'it is too short' });
      const decipher = createDecipheriv('aes-256-gcm', bundleKey(place.index), sealed.subarray(0, NONCE_BYTES)).setAAD(
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
