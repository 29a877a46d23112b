import { NectarError } from '../../protocol/errors.ts';
import { type KekDeps, kekNumber, newKek, nextKekId } from './kek-entries.ts';
import { type KeyStore, MAX_PROVIDERS, type ProviderEntry } from './key-store-schema.ts';
import type { Keyring } from './keyring.ts';
import { isAttended } from './open-root-key.ts';
import type { ProviderHost } from './provider.ts';
import { type Enrolment, enroll, nextProviderId, openRoot } from './root-key.ts';

/** What a change of the key list works with. */
export interface ChangeDeps extends KekDeps {
  readonly host: ProviderHost;
  readonly now: () => Date;
}

/** The next key list, and what becomes true once it is durable. */
export interface Change<T> {
  readonly next: KeyStore;
  readonly result: T;
  /** The root key that signs `next`, when it is another one. Who writes the list wipes it when that fails. */
  readonly root?: Uint8Array;
  /** Brings the keyring to the new list. Not called when the list could not be written. */
  commit(ring: Keyring): void;
}

export interface Open {
  readonly store: KeyStore;
  readonly ring: Keyring;
}

const nothing = (): void => undefined;

/** A new KEK for what is written from now on. `atLeast`: the generation that the log knows of, when that is a newer one. */
export function rotation(
  { store, ring }: Open,
  deps: ChangeDeps,
  atLeast = 0,
): Change<{ from: string; to: string; generation: number }> {
  const generation = Math.max(store.generation, atLeast) + 1;
  const id = nextKekId(store.keks, generation);
  const { entry, key } = newKek(ring.root, { id, createdAt: deps.now().toISOString() }, deps);
  return {
    next: { ...store, generation, current: id, keks: [...store.keks, entry] },
    result: { from: store.current, to: id, generation },
    commit: () => ring.add(id, key),
  };
}

/**
 * Destroys every KEK but the current one; given another, only those that are older than it. The caller has seen to it that no record
 * needs them.
 */
export function retirement(
  { store }: Open,
  deps: ChangeDeps,
  olderThan = store.current,
): Change<{ destroyed: readonly string[]; generation: number }> {
  const generation = store.generation + 1;
  const destroyedAt = deps.now().toISOString();
  const isOld = ({ id }: KeyStore['keks'][number]): boolean =>
    olderThan === store.current ? id !== store.current : id !== store.current && kekNumber(id) < kekNumber(olderThan);
  const ends = store.keks.filter((kek) => isOld(kek) && !('destroyedAt' in kek));
  const destroyed = ends.map(({ id }) => id);
  const keks = store.keks.map((kek) =>
    ends.includes(kek) ? { id: kek.id, createdAt: kek.createdAt, destroyedAt } : kek,
  );
  return {
    next: { ...store, generation, keks },
    result: { destroyed, generation },
    commit: (ring) => {
      for (const id of destroyed) ring.drop(id);
    },
  };
}

/** One more way in. @throws NectarError KEY_PROVIDERS_FULL, and what the provider says */
export async function enrolment(
  { store, ring }: Open,
  wanted: Enrolment,
  deps: ChangeDeps,
): Promise<Change<{ id: string; generation: number }>> {
  if (store.providers.length >= MAX_PROVIDERS) throw new NectarError('KEY_PROVIDERS_FULL', { max: MAX_PROVIDERS });
  const { entry, generation } = await enrolled({ store, ring }, wanted, deps);
  return {
    next: { ...store, generation, providers: [...store.providers, entry] },
    result: { id: entry.id, generation },
    commit: nothing,
  };
}

/** A way in that takes the place of another of its kind, in one step: there is no moment with both or with neither. */
export async function replacement(
  { store, ring }: Open,
  { id, ...wanted }: Enrolment & { readonly id: string },
  deps: ChangeDeps,
): Promise<Change<{ id: string; generation: number }>> {
  const old = getEntry(store, id);
  if (old.provider !== wanted.provider)
    throw new NectarError('KEY_PROVIDER_UNAVAILABLE', { provider: `${wanted.provider} of the id ${id}` });
  const { entry, generation } = await enrolled({ store, ring }, wanted, deps);
  return {
    next: { ...store, generation, providers: store.providers.map((other) => (other === old ? entry : other)) },
    result: { id: entry.id, generation },
    commit: nothing,
  };
}

/**
 * One way in less. What is left must open the node: one that needs nobody is tried, a passphrase is taken to be known.
 *
 * @throws NectarError KEY_PROVIDER_ABSENT, KEY_PROVIDER_LAST
 */
export async function removal(
  { store }: Open,
  id: string,
  deps: ChangeDeps,
): Promise<Change<{ id: string; generation: number }>> {
  const old = getEntry(store, id);
  const left = store.providers.filter((entry) => entry !== old);
  if (!(await somebodyOpens(left, deps.host))) throw new NectarError('KEY_PROVIDER_LAST', { id });
  const generation = store.generation + 1;
  return { next: { ...store, generation, providers: left }, result: { id, generation }, commit: nothing };
}

async function enrolled(
  { store, ring }: Open,
  wanted: Enrolment,
  deps: ChangeDeps,
): Promise<{ entry: ProviderEntry; generation: number }> {
  const generation = store.generation + 1;
  const id = nextProviderId(wanted.provider, { providers: store.providers, generation });
  const entry = await enroll(ring.root, wanted, { id, createdAt: deps.now().toISOString(), host: deps.host });
  return { entry, generation };
}

async function somebodyOpens(entries: readonly ProviderEntry[], host: ProviderHost): Promise<boolean> {
  if (entries.some(isAttended)) return true;
  for (const entry of entries) {
    const root = await openRoot(entry, host).catch(() => undefined);
    root?.fill(0);
    if (root !== undefined) return true;
  }
  return false;
}

function getEntry(store: KeyStore, id: string): ProviderEntry {
  const found = store.providers.find((entry) => entry.id === id);
  if (found === undefined) throw new NectarError('KEY_PROVIDER_ABSENT', { id });
  return found;
}

/** A list of an older format, as the first that counts. */
export function firstGeneration({ store }: Open): Change<{ readonly generation: number }> {
  return { next: { ...store, generation: 1 }, result: { generation: 1 }, commit: () => undefined };
}
