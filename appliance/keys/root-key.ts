import { mkdir, stat } from 'node:fs/promises';

import { type EnvelopeCrypto, KEY_BYTES } from '../../protocol/envelope/crypto.ts';
import { openValue, SEALED_VALUE_RANDOM_BYTES, sealValue } from '../../protocol/envelope/sealed-value.ts';
import { NectarError } from '../../protocol/errors.ts';
import { ensureKeyFile } from './file-provider.ts';
import { macKey } from './hierarchy.ts';
import { type FileEntry, keyStorePath, type PassphraseEntry, writeKeyStore } from './key-store-file.ts';
import {
  ARGON2_SALT_BYTES,
  DEFAULT_ARGON2,
  MIN_PASSPHRASE_BYTES,
  type PassphraseKdf,
  passphraseKey,
} from './passphrase-provider.ts';

/** Who will be able to open the root key. `file` makes the key file when it is not there. */
export type Enrolment =
  | { readonly provider: 'passphrase'; readonly passphrase: Uint8Array }
  | { readonly provider: 'file'; readonly path: string };

export interface RootKeyDeps {
  readonly crypto: EnvelopeCrypto;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
}

const FILE_INFO = Buffer.from('nectar/key-file/1');
const FILE_SALT_BYTES = 32;

/** Makes the root key of a new home and HOME/keys.json, wrapped for every provider. KEY_STORE_EXISTS when there is one. */
export async function createRootKey(
  options: { readonly home: string; readonly enroll: readonly Enrolment[] },
  deps: RootKeyDeps,
): Promise<void> {
  const path = keyStorePath(options.home);
  if (await exists(path)) throw new NectarError('KEY_STORE_EXISTS', { path });
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  const root = deps.randomBytes(KEY_BYTES);
  try {
    const providers: (PassphraseEntry | FileEntry)[] = [];
    for (const enrolment of options.enroll) providers.push(await enroll(root, enrolment, options.home, deps));
    const createdAt = deps.now().toISOString();
    const keks = [{ id: 'kek/1', createdAt }];
    await writeKeyStore(
      options.home,
      { version: 1, createdAt, current: 'kek/1', keks, providers },
      macKey(deps.crypto, root),
    );
  } finally {
    root.fill(0);
  }
}

/** Wraps the root key for one more provider. */
export async function enroll(
  root: Uint8Array,
  enrolment: Enrolment,
  home: string,
  deps: RootKeyDeps,
): Promise<PassphraseEntry | FileEntry> {
  const createdAt = deps.now().toISOString();
  if (enrolment.provider === 'file') {
    const salt = deps.randomBytes(FILE_SALT_BYTES);
    const secret = await ensureKeyFile(enrolment.path, home, deps.randomBytes(KEY_BYTES));
    const sealed = sealRoot(root, fileWrappingKey(secret, salt, deps.crypto), 'file', deps);
    return { provider: 'file', createdAt, salt: Buffer.from(salt).toString('base64'), sealed };
  }
  if (enrolment.passphrase.length < MIN_PASSPHRASE_BYTES) {
    throw new NectarError('KEY_PASSPHRASE_WEAK', { minimumBytes: MIN_PASSPHRASE_BYTES });
  }
  const salt = Buffer.from(deps.randomBytes(ARGON2_SALT_BYTES)).toString('base64');
  const kdf: PassphraseKdf = { algorithm: 'argon2id', ...DEFAULT_ARGON2, salt };
  const sealed = sealRoot(root, await passphraseKey(enrolment.passphrase, kdf), 'passphrase', deps);
  return { provider: 'passphrase', createdAt, kdf, sealed };
}

/** The root key by passphrase; undefined when it is the wrong one. Takes the same time either way: Argon2 runs first. */
export async function openByPassphrase(
  entry: PassphraseEntry,
  passphrase: Uint8Array,
  crypto: EnvelopeCrypto,
): Promise<Uint8Array | undefined> {
  return openRoot(entry.sealed, await passphraseKey(passphrase, entry.kdf), 'passphrase', crypto);
}

/** The root key by the content of a key file, which is wiped; undefined when it is another node's. */
export function openByFile(entry: FileEntry, secret: Uint8Array, crypto: EnvelopeCrypto): Uint8Array | undefined {
  return openRoot(entry.sealed, fileWrappingKey(secret, Buffer.from(entry.salt, 'base64'), crypto), 'file', crypto);
}

function fileWrappingKey(secret: Uint8Array, salt: Uint8Array, crypto: EnvelopeCrypto): Uint8Array {
  const key = crypto.hkdf(secret, salt, FILE_INFO, KEY_BYTES);
  secret.fill(0);
  return key;
}

function sealRoot(root: Uint8Array, key: Uint8Array, provider: string, deps: RootKeyDeps): string {
  const random = deps.randomBytes(SEALED_VALUE_RANDOM_BYTES);
  const sealed = sealValue(deps.crypto, key, { place: place(provider), value: root, random });
  key.fill(0);
  return Buffer.from(sealed).toString('base64');
}

function openRoot(sealed: string, key: Uint8Array, provider: string, crypto: EnvelopeCrypto): Uint8Array | undefined {
  const root = openValue(crypto, key, { place: place(provider), sealed: Buffer.from(sealed, 'base64') });
  key.fill(0);
  return root?.length === KEY_BYTES ? root : undefined;
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
