import type { DekContext } from '../../protocol/envelope/aad.ts';
import { type EnvelopeCrypto, KEY_BYTES, NONCE_BYTES } from '../../protocol/envelope/crypto.ts';
import { type Kek, unwrapDek, type WrappedDek, wrapDek } from '../../protocol/envelope/wrapped-dek.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type KeyPurpose, purposeKey } from './hierarchy.ts';
import { openKek } from './kek-entries.ts';
import type { KeyStore } from './key-store-schema.ts';
import { openPurposeKey, type PurposeKeys } from './purpose-keys.ts';

/** The open root key and the KEKs under it; everything in it is wiped by `wipe`. */
export interface Keyring {
  readonly root: Uint8Array;
  derive(purpose: KeyPurpose): Uint8Array;
  /** A copy of the key of a purpose before the current one, while something may be sealed by it. */
  former(purpose: KeyPurpose): Uint8Array | undefined;
  /** A copy of the key of a purpose that is to take the place of the current one. */
  pending(purpose: KeyPurpose): Uint8Array | undefined;
  /** Takes over another root key, and the keys of purposes as a list sealed by it has them; wipes those before. */
  adopt(root: Uint8Array, purposes: KeyStore['purposes']): void;
  add(kekId: string, key: Uint8Array): void;
  /** Wipes a KEK that was destroyed. */
  drop(kekId: string): void;
  wrap(kekId: string, dek: Uint8Array, context: DekContext): WrappedDek;
  unwrap(wrapped: WrappedDek, context: DekContext): Uint8Array;
  wipe(): void;
}

export function createKeyring(
  first: Uint8Array,
  { keks: entries, purposes: listed }: Pick<KeyStore, 'keks' | 'purposes'>,
  deps: { readonly crypto: EnvelopeCrypto; readonly randomBytes: (length: number) => Uint8Array },
): Keyring {
  const { crypto } = deps;
  const keks = new Map<string, Kek>();
  const destroyed = new Set<string>();
  let root = first;
  let purposes = openPurposes(root, listed, crypto);
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

  function wipePurposes(): void {
    for (const { key, former, next } of purposes.values()) for (const bytes of [key, former, next]) bytes?.fill(0);
  }

  function wipeRoot(): void {
    root.fill(0);
    wipePurposes();
    purposes.clear();
  }

  return {
    get root() {
      return root;
    },
    derive(purpose) {
      const held = purposes.get(purpose);
      return held === undefined ? purposeKey(crypto, root, purpose, KEY_BYTES) : Uint8Array.from(held.key);
    },
    former(purpose) {
      const former = purposes.get(purpose)?.former;
      return former === undefined ? undefined : Uint8Array.from(former);
    },
    pending(purpose) {
      const next = purposes.get(purpose)?.next;
      return next === undefined ? undefined : Uint8Array.from(next);
    },
    adopt(next, list) {
      const opened = openPurposes(next, list, crypto);
      // A list that keeps its root key is adopted too, with the same bytes.
      if (next === root) wipePurposes();
      else wipeRoot();
      [root, purposes] = [next, opened];
    },
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
      wipeRoot();
      for (const { key } of keks.values()) key.fill(0);
      keks.clear();
    },
  };
}

/** @throws TypeError for a list that its root key signed and did not seal: a bug, and nothing may be derived in its place */
function openPurposes(
  root: Uint8Array,
  purposes: KeyStore['purposes'] = [],
  crypto: EnvelopeCrypto,
): Map<KeyPurpose, PurposeKeys> {
  const opened = new Map<KeyPurpose, PurposeKeys>();
  for (const entry of purposes) {
    const keys = openPurposeKey(root, entry, crypto);
    if (keys === undefined) throw new TypeError(`the ${entry.purpose} key of an authentic key list does not open`);
    opened.set(entry.purpose, keys);
  }
  return opened;
}
