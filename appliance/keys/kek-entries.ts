import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { openValue, SEALED_VALUE_RANDOM_BYTES, sealValue } from '../../protocol/envelope/sealed-value.ts';
import { derivedKek, kekSealingKey } from './hierarchy.ts';
import type { KekEntry, KeyStore } from './key-store-schema.ts';

export interface KekDeps {
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** A new KEK: random, so that destroying its entry destroys it, and sealed by the root key at its own place. The caller wipes `key`. */
export function newKek(
  root: Uint8Array,
  { id, createdAt }: { readonly id: string; readonly createdAt: string },
  { crypto, randomBytes }: KekDeps,
): { entry: KekEntry; key: Uint8Array } {
  const key = randomBytes(KEY_BYTES);
  const sealed = sealKek(root, { id, key }, { crypto, randomBytes });
  return { entry: { id, createdAt, sealed }, key };
}

/** A KEK as its entry holds it, in base64. */
export function sealKek(
  root: Uint8Array,
  { id, key }: { readonly id: string; readonly key: Uint8Array },
  { crypto, randomBytes }: KekDeps,
): string {
  const sealing = kekSealingKey(crypto, root);
  const random = randomBytes(SEALED_VALUE_RANDOM_BYTES);
  const sealed = sealValue(crypto, sealing, { place: place(id), value: key, random });
  sealing.fill(0);
  return Buffer.from(sealed).toString('base64');
}

/** The key of an entry; undefined when it was destroyed, or does not open. */
export function openKek(root: Uint8Array, entry: KekEntry, crypto: EnvelopeCrypto): Uint8Array | undefined {
  if ('destroyedAt' in entry) return undefined;
  if ('derived' in entry) return derivedKek(crypto, root, entry.id);
  const sealing = kekSealingKey(crypto, root);
  const sealed = Buffer.from(entry.sealed, 'base64');
  const key = openValue(crypto, sealing, { place: place(entry.id), sealed });
  sealing.fill(0);
  return key?.length === KEY_BYTES ? key : undefined;
}

/**
 * The id of the KEK that the next generation of the list makes. An id is never given twice, not even when an older list came back
 * and newer ones are lost: its number is no smaller than the generation, which the log knows.
 */
export function nextKekId(keks: KeyStore['keks'], generation: number): string {
  const last = Math.max(...keks.map(({ id }) => kekNumber(id)));
  return `kek/${Math.max(last + 1, generation)}`;
}

/** KEKs are numbered in the order of their making. */
export function kekNumber(id: string): number {
  return Number(id.slice('kek/'.length));
}

function place(id: string): Uint8Array {
  return Buffer.from(`nectar/key-store/${id}`);
}
