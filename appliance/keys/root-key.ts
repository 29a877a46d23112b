import { stat } from 'node:fs/promises';

import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { openValue, SEALED_VALUE_RANDOM_BYTES, sealValue } from '../../protocol/envelope/sealed-value.ts';
import { NectarError } from '../../protocol/errors.ts';
import { makeFolders } from '../make-folders.ts';
import { macKey } from './hierarchy.ts';
import { newKek } from './kek-entries.ts';
import { keyStorePath, writeKeyStore } from './key-store-file.ts';
import type { ProviderEntry } from './key-store-schema.ts';
import type { ProviderHost } from './provider.ts';
import { getProvider } from './providers/registry.ts';
import { runTool } from './run-tool.ts';

/** Who will be able to open the root key: a provider by name, with its settings and, where it is attended, its secret. */
export interface Enrolment {
  readonly provider: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly secret?: Uint8Array;
}

export const byPassphrase = (passphrase: Uint8Array): Enrolment => ({ provider: 'passphrase', secret: passphrase });
/** The key file is made when it is not there. */
export const byKeyFile = (path: string): Enrolment => ({ provider: 'file', settings: { path } });

export interface RootKeyDeps {
  readonly crypto: EnvelopeCrypto;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly credentials?: string | undefined;
}

/**
 * Makes the root key of a new home and HOME/keys.json, wrapped for every provider. `keyFile`: the path that the configuration will
 * name. KEY_STORE_EXISTS when there is one.
 */
export async function createRootKey(
  options: { readonly home: string; readonly enroll: readonly Enrolment[]; readonly keyFile?: string },
  deps: RootKeyDeps,
): Promise<void> {
  const { home, keyFile = '' } = options;
  const { crypto, randomBytes, credentials } = deps;
  const path = keyStorePath(home);
  if (await exists(path)) throw new NectarError('KEY_STORE_EXISTS', { path });
  await makeFolders(home, 0o700);
  const host = { crypto, randomBytes, home, keyFile, credentials, run: runTool };
  const root = randomBytes(KEY_BYTES);
  try {
    const providers: ProviderEntry[] = [];
    const createdAt = deps.now().toISOString();
    for (const enrolment of options.enroll) {
      const id = nextProviderId(enrolment.provider, { providers, generation: 1 });
      providers.push(await enroll(root, enrolment, { id, createdAt, host }));
    }
    const { entry, key } = newKek(root, { id: 'kek/1', createdAt }, deps);
    key.fill(0);
    const store = { createdAt, generation: 1, current: entry.id, keks: [entry], providers };
    await writeKeyStore(home, store, macKey(crypto, root));
  } finally {
    root.fill(0);
  }
}

/** Wraps the root key for one more provider. */
export async function enroll(
  root: Uint8Array,
  { provider, settings = {}, secret }: Enrolment,
  at: { readonly id: string; readonly createdAt: string; readonly host: ProviderHost },
): Promise<ProviderEntry> {
  const { id, createdAt, host } = at;
  const { payload, key } = await getProvider(provider).enroll(
    { settings, ...(secret !== undefined && { secret }) },
    host,
  );
  const random = host.randomBytes(SEALED_VALUE_RANDOM_BYTES);
  const sealed = sealValue(host.crypto, key, { place: place(provider), value: root, random });
  key.fill(0);
  return { id, provider, createdAt, ...payload, sealed: Buffer.from(sealed).toString('base64') };
}

/** Takes the generation of the change that enrols it, so that the log's `passphrase-4` is one and the same for ever. */
export function nextProviderId(
  provider: string,
  { providers, generation }: { readonly providers: readonly ProviderEntry[]; readonly generation: number },
): string {
  const taken = providers.some(({ id }) => id === `${provider}-${generation}`);
  return taken ? nextProviderId(provider, { providers, generation: generation + 1 }) : `${provider}-${generation}`;
}

/** The root key by one entry; throws what its provider says of a secret that does not open it, or why it cannot be used now. */
export async function openRoot(entry: ProviderEntry, host: ProviderHost, secret?: Uint8Array): Promise<Uint8Array> {
  const { root, key } = await openEntry(entry, host, secret);
  key.fill(0);
  return root;
}

/** The entry with another root key in it, which opens by what opens the one before. Throws as `openRoot` does. */
export async function resealRoot(
  entry: ProviderEntry,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
  { host, secret }: { readonly host: ProviderHost; readonly secret?: Uint8Array },
): Promise<ProviderEntry> {
  const { root, key } = await openEntry(entry, host, secret);
  try {
    if (!Buffer.from(root.buffer, root.byteOffset, root.length).equals(from))
      throw getProvider(entry.provider).wrong(entry, host);
    const random = host.randomBytes(SEALED_VALUE_RANDOM_BYTES);
    const sealed = sealValue(host.crypto, key, { place: place(entry.provider), value: to, random });
    return { ...entry, sealed: Buffer.from(sealed).toString('base64') };
  } finally {
    for (const bytes of [root, key]) bytes.fill(0);
  }
}

/** The root key, and the key that opened it. The caller wipes both. */
async function openEntry(
  entry: ProviderEntry,
  host: ProviderHost,
  secret: Uint8Array | undefined,
): Promise<{ root: Uint8Array; key: Uint8Array }> {
  const provider = getProvider(entry.provider);
  const keys = await provider.open(entry, host, secret);
  const sealed = Buffer.from(entry.sealed, 'base64');
  let opened: { root: Uint8Array; key: Uint8Array } | undefined;
  for (const key of keys) {
    const root =
      opened === undefined ? openValue(host.crypto, key, { place: place(entry.provider), sealed }) : undefined;
    if (root?.length === KEY_BYTES) opened = { root, key };
    else key.fill(0);
  }
  if (opened === undefined) throw provider.wrong(entry, host);
  return opened;
}

function place(provider: string): Uint8Array {
  return Buffer.from(`nectar/root-key/${provider}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
