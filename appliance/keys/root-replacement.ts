import { nextBodySecret } from '../../protocol/envelope/body-secret.ts';
import { KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { nextIndexSecret } from '../../protocol/envelope/index-secret.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { KEY_PURPOSES } from './hierarchy.ts';
import { openKek, sealKek } from './kek-entries.ts';
import type { Change, ChangeDeps, Open } from './key-changes.ts';
import type { KekEntry, KeyStore, ProviderEntry } from './key-store-schema.ts';
import type { Keyring } from './keyring.ts';
import { isAttended } from './open-root-key.ts';
import { sealPurposeKey } from './purpose-keys.ts';
import { resealRoot } from './root-key.ts';

/** Which ways in the new root key gets. */
export interface RootWanted {
  /** Ids of providers that are to open the node no more. */
  readonly without: readonly string[];
  /** Of those that are attended: a passphrase that each of them opens by. */
  readonly secret?: Uint8Array;
}

export interface ReplacedRoot {
  /** Ids of the providers that open the new root key. */
  readonly providers: readonly string[];
  readonly generation: number;
}

/**
 * A root key in the place of the one before, in one write of the list: every provider opens it by the secret that it has, every KEK is
 * sealed by it, and so are the keys of purposes. Three of those are replaced. The identities are few, and are sealed anew behind this
 * (`settlement`); the index is sealed anew at the next start of the store, by a key that is made now (`indexSettlement`); the secret of
 * the log's bodies gets one more key, by which a log that starts with it seals. The others stay what they are, so that nothing they
 * seal is written anew.
 *
 * @throws NectarError KEY_ROOT_DERIVED, KEY_ROOT_PROVIDER_CLOSED, KEY_PROVIDER_ABSENT, KEY_PROVIDER_LAST
 */
export async function rootReplacement(
  { store, ring }: Open,
  { without, secret }: RootWanted,
  deps: ChangeDeps,
): Promise<Change<ReplacedRoot>> {
  const derived = store.keks.filter((kek) => 'derived' in kek).map(({ id }) => id);
  if (derived.length > 0) throw new NectarError('KEY_ROOT_DERIVED', { keks: derived });
  const absent = without.find((id) => !store.providers.some((entry) => entry.id === id));
  if (absent !== undefined) throw new NectarError('KEY_PROVIDER_ABSENT', { id: absent });
  const kept = store.providers.filter(({ id }) => !without.includes(id));
  if (kept.length === 0) throw new NectarError('KEY_PROVIDER_LAST', { id: without.join(', ') });
  const root = deps.randomBytes(KEY_BYTES);
  try {
    const providers: ProviderEntry[] = [];
    for (const entry of kept) providers.push(await anew(entry, { ring, root, secret }, deps));
    const generation = store.generation + 1;
    const keks = store.keks.map((kek) => resealKek(kek, { from: ring.root, to: root }, deps));
    const purposes = resealPurposes(ring, root, deps);
    return {
      next: { ...store, generation, keks, providers, purposes },
      result: { providers: providers.map(({ id }) => id), generation },
      root,
      commit: (opened) => opened.adopt(root, purposes),
    };
  } catch (error) {
    root.fill(0);
    throw error;
  }
}

/** The list once nothing is sealed by a former key any more. */
export function settlement({ store, ring }: Open): Change<{ readonly generation: number }> {
  const generation = store.generation + 1;
  const purposes = (store.purposes ?? []).map(({ former: _, ...kept }) => kept);
  return {
    next: { ...store, generation, purposes },
    result: { generation },
    commit: (opened) => opened.adopt(ring.root, purposes),
  };
}

/** The list once the index is sealed by the key that was made for it. */
export function indexSettlement({ store, ring }: Open, deps: ChangeDeps): Change<{ readonly generation: number }> {
  const generation = store.generation + 1;
  const key = ring.pending('index');
  const purposes = (store.purposes ?? []).map((entry) =>
    entry.purpose === 'index' && key !== undefined ? sealPurposeKey(ring.root, { purpose: 'index', key }, deps) : entry,
  );
  key?.fill(0);
  return {
    next: { ...store, generation, purposes },
    result: { generation },
    commit: (opened) => opened.adopt(ring.root, purposes),
  };
}

/** What the key before the last one seals would be lost. @throws NectarError KEY_ROOT_UNSETTLED, KEY_ROOT_INDEX_PENDING */
export function requireSettled(store: KeyStore): void {
  if (isUnsettled(store)) throw new NectarError('KEY_ROOT_UNSETTLED', {});
  if (store.purposes?.some(({ next }) => next !== undefined) === true)
    throw new NectarError('KEY_ROOT_INDEX_PENDING', {});
}

/** Whether something may still be sealed by a key of before the root key was replaced. */
export function isUnsettled({ purposes = [] }: KeyStore): boolean {
  return purposes.some(({ former }) => former !== undefined);
}

async function anew(
  entry: ProviderEntry,
  {
    ring,
    root,
    secret,
  }: { readonly ring: Keyring; readonly root: Uint8Array; readonly secret: Uint8Array | undefined },
  { host }: ChangeDeps,
): Promise<ProviderEntry> {
  const { id } = entry;
  if (isAttended(entry) && secret === undefined)
    throw new NectarError('KEY_ROOT_PROVIDER_CLOSED', { id, reason: 'its passphrase was not given' });
  try {
    return await resealRoot(entry, { from: ring.root, to: root }, { host, ...(secret !== undefined && { secret }) });
  } catch (error) {
    if (!isNectarError(error)) throw error;
    throw new NectarError('KEY_ROOT_PROVIDER_CLOSED', { id, reason: error.message }, { cause: error });
  }
}

function resealKek(
  entry: KekEntry,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
  deps: ChangeDeps,
): KekEntry {
  if ('destroyedAt' in entry) return entry;
  const key = openKek(from, entry, deps.crypto);
  if (key === undefined) throw new NectarError('KEY_KEK_UNKNOWN', { kekId: entry.id });
  const sealed = sealKek(to, { id: entry.id, key }, deps);
  key.fill(0);
  return { id: entry.id, createdAt: entry.createdAt, sealed };
}

function resealPurposes(ring: Keyring, root: Uint8Array, deps: ChangeDeps): NonNullable<KeyStore['purposes']> {
  return KEY_PURPOSES.map((purpose) => {
    const before = ring.derive(purpose);
    // One that was replaced before this and is not settled yet would need two: the caller settles first.
    const isNew = purpose === 'identity';
    const sealing = purpose === 'audit-body' ? nextBodySecret(before, deps.randomBytes) : before;
    const key = isNew ? deps.randomBytes(KEY_BYTES) : sealing;
    const next = purpose === 'index' ? nextIndexSecret(deps.crypto, before, deps.randomBytes) : undefined;
    const keys = { key, ...(isNew && { former: before }), ...(next !== undefined && { next }) };
    const entry = sealPurposeKey(root, { purpose, ...keys }, deps);
    for (const bytes of [before, key, next]) bytes?.fill(0);
    return entry;
  });
}
