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
