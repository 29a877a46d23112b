import { KEY_PURPOSES } from './hierarchy.ts';
import type { Change, ChangeDeps, Open } from './key-changes.ts';
import { sealPurposeKey } from './purpose-keys.ts';

/**
 * The list of a backup beside a log that is newer: with the secret that the log's bodies are sealed by, which came after it.
 */
export function bodySecretAdoption(
  { store, ring }: Open,
  secret: Uint8Array,
  deps: ChangeDeps,
): Change<{ readonly generation: number }> {
  const generation = store.generation + 1;
  const purposes = KEY_PURPOSES.map((purpose) => {
    const entry = store.purposes?.find((one) => one.purpose === purpose);
    if (entry !== undefined && purpose !== 'audit-body') return entry;
    const key = purpose === 'audit-body' ? Uint8Array.from(secret) : ring.derive(purpose);
    const sealed = sealPurposeKey(ring.root, { purpose, key }, deps);
    key.fill(0);
    return sealed;
  });
  return {
    next: { ...store, generation, purposes },
    result: { generation },
    commit: (opened) => opened.adopt(ring.root, purposes),
  };
}
