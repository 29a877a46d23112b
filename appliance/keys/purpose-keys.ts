import { isBodySecret } from '../../protocol/envelope/body-secret.ts';
import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { isIndexSecret } from '../../protocol/envelope/index-secret.ts';
import { openValue, SEALED_VALUE_RANDOM_BYTES, sealValue } from '../../protocol/envelope/sealed-value.ts';
import { type KeyPurpose, purposeSealingKey } from './hierarchy.ts';
import type { KekDeps } from './kek-entries.ts';
import type { PurposeEntry } from './key-store-schema.ts';

/** The key of a purpose, with the one before it or the one to come while something is, or will be, sealed by that. */
export interface PurposeKeys {
  readonly key: Uint8Array;
  readonly former?: Uint8Array;
  readonly next?: Uint8Array;
}

/** The keys of a purpose as keys.json holds them once the root key is another one than the first. */
export function sealPurposeKey(
  root: Uint8Array,
  { purpose, key, former, next }: PurposeKeys & { readonly purpose: KeyPurpose },
  deps: KekDeps,
): PurposeEntry {
  const sealing = purposeSealingKey(deps.crypto, root);
  const seal = (value: Uint8Array, at: Uint8Array): string => {
    const random = deps.randomBytes(SEALED_VALUE_RANDOM_BYTES);
    return Buffer.from(sealValue(deps.crypto, sealing, { place: at, value, random })).toString('base64');
  };
  const entry = {
    purpose,
    sealed: seal(key, place(purpose)),
    ...(former !== undefined && { former: seal(former, formerOf(purpose)) }),
    ...(next !== undefined && { next: seal(next, nextOf(purpose)) }),
  };
  sealing.fill(0);
  return entry;
}

/** What keys.json holds of a purpose, opened. Undefined: it does not open, which an authentic list does not know. */
export function openPurposeKey(
  root: Uint8Array,
  { purpose, sealed, former, next }: PurposeEntry,
  crypto: EnvelopeCrypto,
): PurposeKeys | undefined {
  const sealing = purposeSealingKey(crypto, root);
  const open = (text: string, at: Uint8Array): Uint8Array | undefined => {
    const key = openValue(crypto, sealing, { place: at, sealed: Buffer.from(text, 'base64') });
    return key !== undefined && isKeyOf(purpose, key) ? key : undefined;
  };
  try {
    const key = open(sealed, place(purpose));
    const before = former === undefined ? undefined : open(former, formerOf(purpose));
    const after = next === undefined ? undefined : open(next, nextOf(purpose));
    if (key === undefined || (former !== undefined && before === undefined)) return undefined;
    if (next !== undefined && after === undefined) return undefined;
    return { key, ...(before !== undefined && { former: before }), ...(after !== undefined && { next: after }) };
  } finally {
    sealing.fill(0);
  }
}

function isKeyOf(purpose: KeyPurpose, key: Uint8Array): boolean {
  if (purpose === 'index') return isIndexSecret(key);
  return purpose === 'audit-body' ? isBodySecret(key) : key.length === KEY_BYTES;
}

function place(purpose: KeyPurpose): Uint8Array {
  return Buffer.from(`nectar/key-store/purpose/${purpose}`);
}

function formerOf(purpose: KeyPurpose): Uint8Array {
  return Buffer.from(`nectar/key-store/former-purpose/${purpose}`);
}

function nextOf(purpose: KeyPurpose): Uint8Array {
  return Buffer.from(`nectar/key-store/next-purpose/${purpose}`);
}
