import type { DekContext } from '../../protocol/envelope/aad.ts';
import { type EnvelopeCrypto, KEY_BYTES, NONCE_BYTES } from '../../protocol/envelope/crypto.ts';
import { type Kek, unwrapDek, type WrappedDek, wrapDek } from '../../protocol/envelope/wrapped-dek.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type KeyPurpose, kekKey, purposeKey } from './hierarchy.ts';

/** The open root key and what derives from it; everything in it is wiped by `wipe`. */
export interface Keyring {
  readonly root: Uint8Array;
  derive(purpose: KeyPurpose): Uint8Array;
  add(kekId: string): void;
  wrap(kekId: string, dek: Uint8Array, context: DekContext): WrappedDek;
  unwrap(wrapped: WrappedDek, context: DekContext): Uint8Array;
  wipe(): void;
}

export function createKeyring(
  root: Uint8Array,
  kekIds: readonly string[],
  deps: { readonly crypto: EnvelopeCrypto; readonly randomBytes: (length: number) => Uint8Array },
): Keyring {
  const { crypto } = deps;
  const keks = new Map<string, Kek>();
  const add = (id: string): void => void keks.set(id, { id, key: kekKey(crypto, root, id) });
  for (const id of kekIds) add(id);

  function kek(kekId: string): Kek {
    const found = keks.get(kekId);
    if (found === undefined) throw new NectarError('KEY_KEK_UNKNOWN', { kekId });
    return found;
  }

  return {
    root,
    derive: (purpose) => purposeKey(crypto, root, purpose, KEY_BYTES),
    add,
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
