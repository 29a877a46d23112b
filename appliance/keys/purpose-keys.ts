import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { openValue, SEALED_VALUE_RANDOM_BYTES, sealValue } from '../../protocol/envelope/sealed-value.ts';
import { type KeyPurpose, purposeSealingKey } from './hierarchy.ts';
import type { KekDeps } from './kek-entries.ts';
import type { PurposeEntry } from './key-store-schema.ts';

/**
 * The key of a purpose as keys.json holds it once the root key is another one than the first: what it seals is not written anew for
 * that. `former`: the key before, as long as something is still sealed by it.
 */
export function sealPurposeKey(
  root: Uint8Array,
  { purpose, key, former }: { readonly purpose: KeyPurpose; readonly key: Uint8Array; readonly former?: Uint8Array },
  deps: KekDeps,
): PurposeEntry {
  const sealing = purposeSealingKey(deps.crypto, root);
  const seal = (value: Uint8Array, at: Uint8Array): string => {
    const random = deps.randomBytes(SEALED_VALUE_RANDOM_BYTES);
    return Buffer.from(sealValue(deps.crypto, sealing, { place: at, value, random })).toString('base64');
  };
  const sealed = seal(key, place(purpose));
  const entry =
    former === undefined ? { purpose, sealed } : { purpose, sealed, former: seal(former, formerOf(purpose)) };
  sealing.fill(0);
  return entry;
}

/** What keys.json holds of a purpose, opened. Undefined: it does not open, which an authentic list does not know. */
export function openPurposeKey(
  root: Uint8Array,
  { purpose, sealed, former }: PurposeEntry,
  crypto: EnvelopeCrypto,
): { readonly key: Uint8Array; readonly former?: Uint8Array } | undefined {
  const sealing = purposeSealingKey(crypto, root);
  const open = (text: string, at: Uint8Array): Uint8Array | undefined => {
    const key = openValue(crypto, sealing, { place: at, sealed: Buffer.from(text, 'base64') });
    return key?.length === KEY_BYTES ? key : undefined;
  };
  try {
    const key = open(sealed, place(purpose));
    const before = former === undefined ? undefined : open(former, formerOf(purpose));
    if (key === undefined || (former !== undefined && before === undefined)) return undefined;
    return before === undefined ? { key } : { key, former: before };
  } finally {
    sealing.fill(0);
  }
}

function place(purpose: KeyPurpose): Uint8Array {
  return Buffer.from(`nectar/key-store/purpose/${purpose}`);
}

function formerOf(purpose: KeyPurpose): Uint8Array {
  return Buffer.from(`nectar/key-store/former-purpose/${purpose}`);
}
