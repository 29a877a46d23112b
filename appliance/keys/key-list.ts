import { KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { SEALED_VALUE_OVERHEAD_BYTES } from '../../protocol/envelope/sealed-value.ts';
import { KEY_PURPOSES, type KeyPurpose } from './hierarchy.ts';
import type { KeyStore } from './key-store-schema.ts';
import { getProvider } from './providers/registry.ts';

export interface KeyInfo {
  readonly id: string;
  readonly createdAt: string;
  readonly current: boolean;
  /** The enrolled providers, joined by "+". */
  readonly provider: string;
  /** When it was destroyed; what it wrapped opens by nothing. */
  readonly destroyedAt?: string;
}

/** One enrolled way to open the node: never what it opens with. */
export interface ProviderInfo {
  readonly id: string;
  readonly provider: string;
  readonly title: string;
  /** Somebody has to hand over a secret. */
  readonly attended: boolean;
  readonly createdAt: string;
}

/** What a key of the root is for, and whether it was replaced with it. */
export interface PurposeInfo {
  readonly purpose: KeyPurpose;
  /**
   * first: of the first root key. kept: the same key, under a later root key. pending: another one is made, and what the key seals is
   * still to be sealed by it. replaced: nothing is sealed by a key of an earlier root key any more. added: one more key, by which what is
   * written is sealed from the next start on, and behind that start what is there: this list does not know how far that is.
   */
  readonly state: 'first' | 'kept' | 'pending' | 'replaced' | 'added';
}

/** Of those that a new root key replaces; the others keep their bytes. */
const REPLACED: ReadonlySet<KeyPurpose> = new Set(['identity', 'index']);

/** Of a secret that is one key. */
const FIRST_SEALED_CHARS = 4 * Math.ceil((KEY_BYTES + SEALED_VALUE_OVERHEAD_BYTES) / 3);

export function listPurposes({ purposes = [] }: KeyStore): PurposeInfo[] {
  return KEY_PURPOSES.map((purpose) => {
    const entry = purposes.find((one) => one.purpose === purpose);
    if (entry === undefined) return { purpose, state: 'first' };
    if (purpose === 'audit-body' && entry.sealed.length > FIRST_SEALED_CHARS) return { purpose, state: 'added' };
    if (!REPLACED.has(purpose)) return { purpose, state: 'kept' };
    return { purpose, state: entry.former === undefined && entry.next === undefined ? 'replaced' : 'pending' };
  });
}

export function listKeks({ keks, current, providers }: KeyStore): KeyInfo[] {
  const provider = [...new Set(providers.map((entry) => entry.provider))].join('+');
  return keks.map((kek) => ({
    id: kek.id,
    createdAt: kek.createdAt,
    current: kek.id === current,
    provider,
    ...('destroyedAt' in kek && { destroyedAt: kek.destroyedAt }),
  }));
}

export function listProviders({ providers }: KeyStore): ProviderInfo[] {
  return providers.map(({ id, provider, createdAt }) => {
    const { title, attended } = getProvider(provider);
    return { id, provider, title, attended, createdAt };
  });
}
