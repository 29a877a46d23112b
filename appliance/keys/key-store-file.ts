import { createHmac, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';
import { argon2Parameters } from './passphrase-provider.ts';

/** A key store is a few KiB; a larger file is not one, and is not read. */
const MAX_FILE_BYTES = 1024 * 1024;
const MODE = 0o600;

const base64 = (maxLength: number) => Type.String({ minLength: 4, maxLength, pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const time = Type.String({ minLength: 20, maxLength: 30 });
const strict = { additionalProperties: false };

const passphraseEntry = Type.Object(
  { provider: Type.Literal('passphrase'), createdAt: time, kdf: argon2Parameters, sealed: base64(256) },
  strict,
);
const fileEntry = Type.Object(
  { provider: Type.Literal('file'), createdAt: time, salt: base64(64), sealed: base64(256) },
  strict,
);

const keyStoreSchema = Type.Object(
  {
    version: Type.Literal(1),
    createdAt: time,
    current: Type.String({ pattern: '^kek/[1-9][0-9]{0,6}$' }),
    keks: Type.Array(Type.Object({ id: Type.String({ pattern: '^kek/[1-9][0-9]{0,6}$' }), createdAt: time }, strict), {
      minItems: 1,
      maxItems: 10_000,
    }),
    providers: Type.Array(Type.Union([passphraseEntry, fileEntry]), { minItems: 1, maxItems: 16 }),
    mac: base64(64),
  },
  strict,
);

export type KeyStoreFile = Static<typeof keyStoreSchema>;
export type PassphraseEntry = Static<typeof passphraseEntry>;
export type FileEntry = Static<typeof fileEntry>;

export function keyStorePath(home: string): string {
  return join(home, 'keys.json');
}

/** Reads and checks the shape of HOME/keys.json. Whether it is authentic shows once the root key is open (verifyKeyStore). */
export async function readKeyStore(home: string): Promise<KeyStoreFile> {
  const path = keyStorePath(home);
  const value = parseJson(path, await readBounded(path));
  if (!Check(keyStoreSchema, value))
    throw new NectarError('KEY_STORE_INVALID', { path, problem: 'not of the expected shape' });
  if (!value.keks.some((kek) => kek.id === value.current)) {
    throw new NectarError('KEY_STORE_INVALID', { path, problem: 'the current key is not in the list' });
  }
  return value;
}

/** Signs (by MAC) and writes the key store. */
export async function writeKeyStore(
  home: string,
  store: Omit<KeyStoreFile, 'mac'>,
  macKey: Uint8Array,
): Promise<KeyStoreFile> {
  const { version, createdAt, current, keks, providers } = store;
  const body = { version, createdAt, current, keks, providers };
  const signed: KeyStoreFile = { ...body, mac: mac(body, macKey) };
  await replaceFile(keyStorePath(home), Buffer.from(`${JSON.stringify(signed, undefined, 2)}\n`), MODE);
  return signed;
}

/** An adversary who can write the file must not be able to point us back to an old KEK: throws KEY_STORE_INVALID. */
export function verifyKeyStore(home: string, store: KeyStoreFile, macKey: Uint8Array): void {
  const { mac: claimed, ...body } = store;
  const expected = Buffer.from(mac(body, macKey));
  const actual = Buffer.from(claimed);
  if (expected.length === actual.length && timingSafeEqual(expected, actual)) return;
  throw new NectarError('KEY_STORE_INVALID', { path: keyStorePath(home), problem: 'its authentication code is wrong' });
}

/** Over JSON in the file's own order: JSON.parse keeps it, so what was written is what is checked. */
function mac(body: Omit<KeyStoreFile, 'mac'>, macKey: Uint8Array): string {
  return createHmac('sha256', macKey).update(JSON.stringify(body)).digest('base64');
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new NectarError('KEY_STORE_MISSING', { path });
    throw error;
  });
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new NectarError('KEY_STORE_INVALID', { path, problem: 'too large' });
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NectarError('KEY_STORE_INVALID', { path, problem: text.length === 0 ? 'empty' : 'no JSON' });
  }
}
