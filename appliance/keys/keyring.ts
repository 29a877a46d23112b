import type { DekContext } from '../../protocol/envelope/aad.ts';
import { type EnvelopeCrypto, KEY_BYTES, NONCE_BYTES } from '../../protocol/envelope/crypto.ts';
import { type Kek, unwrapDek, type WrappedDek, wrapDek } from '../../protocol/envelope/wrapped-dek.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type KeyPurpose, purposeKey } from './hierarchy.ts';
import { openKek } from './kek-entries.ts';
import type { KekEntry } from './key-store-schema.ts';

/** The open root key and the KEKs under it; everything in it is wiped by `wipe`. */
export interface Keyring {
  readonly root: Uint8Array;
  derive(purpose: KeyPurpose): Uint8Array;
  add(kekId: string, key: Uint8Array): void;
  /** Wipes a KEK that was destroyed. */
  drop(kekId: string): void;
  wrap(kekId: string, dek: Uint8Array, context: DekContext): WrappedDek;
  unwrap(wrapped: WrappedDek, context: DekContext): Uint8Array;
  wipe(): void;
}

export function createKeyring(
  root: Uint8Array,
  entries: readonly KekEntry[],
  deps: { readonly crypto: EnvelopeCrypto; readonly randomBytes: (length: number) => Uint8Array },
): Keyring {
  const { crypto } = deps;
  const keks = new Map<string, Kek>();
  const destroyed = new Set<string>();
  for (const entry of entries) {
    const key = openKek(root, entry, crypto);
    if (key !== undefined) keks.set(entry.id, { id: entry.id, key });
    else if ('destroyedAt' in entry) destroyed.add(entry.id);
  }

  function kek(kekId: string): Kek {
    const found = keks.get(kekId);
    if (found !== undefined) return found;
    throw new NectarError(destroyed.has(kekId) ? 'KEY_KEK_DESTROYED' : 'KEY_KEK_UNKNOWN', { kekId });
  }

  return {
    root,
    derive: (purpose) => purposeKey(crypto, root, purpose, KEY_BYTES),
    add: (id, key) => void keks.set(id, { id, key }),
    drop(id) {
      keks.get(id)?.key.fill(0);
      keks.delete(id);
      destroyed.add(id);
    },
    wrap: (kekId, dek, context) => wrapDek(crypto, kek(kekId), { dek, context, nonce: deps.randomBytes(NONCE_BYTES) }),
    unwrap(wrapped, context) {
      const dek = unwrapDek(crypto, kek(wrapped.kekId), { wrapped, context });
      if (dek === undefined) throw new NectarError('KEY_UNWRAP_INVALID', { kekId: wrapped.kekId });
      return dek;
    },
    wipe() {
      root.fill(0);
      for (const { key } of keks.values()) key.fill(0);
      keks.clear();
    },
  };
}
