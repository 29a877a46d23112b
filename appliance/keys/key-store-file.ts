import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Check } from 'typebox/value';
import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';
import { type KeyStore, keyStoreSchema, type SignedKeyStore } from './key-store-schema.ts';
import { fromVersion1, keyStoreVersion1 } from './key-store-version-1.ts';

/** A key store is a few KiB; a larger file is not one, and is not read. */
const MAX_FILE_BYTES = 1024 * 1024;
const MODE = 0o600;

/** A key list as it lies on the disk. */
export interface ReadKeyStore {
  readonly store: KeyStore;
  /** Of the file as it lies there. */
  readonly digest: string;
  /**
   * Throws KEY_STORE_INVALID unless the root key signed it: somebody who can write the file must not be able to point the node back
   * to an old KEK, or to a provider of their own.
   */
  verify(macKey: Uint8Array): void;
}

export function keyStorePath(home: string): string {
  return join(home, 'keys.json');
}

/** Reads and checks the shape of HOME/keys.json. Whether it is authentic shows once the root key is open (`verify`). */
export async function readKeyStore(home: string): Promise<ReadKeyStore> {
  const path = keyStorePath(home);
  const value = parseJson(path, await readBounded(path));
  if (Check(keyStoreVersion1, value)) {
    const { mac: claimed, ...body } = value;
    const read = { store: fromVersion1(value), digest: digestOf(value) };
    return checked(path, read, (macKey) => verifyMac(path, { body, claimed, macKey }));
  }
  if (!Check(keyStoreSchema, value))
    throw new NectarError('KEY_STORE_INVALID', { path, problem: 'not of the expected shape' });
  const { digest, ...signed } = value;
  if (digestOf(signed) !== digest)
    throw new NectarError('KEY_STORE_INVALID', { path, problem: 'its content was altered' });
  const { mac: claimed, ...body } = signed;
  const { version: _, ...store } = body;
  return checked(path, { store, digest }, (macKey) => verifyMac(path, { body, claimed, macKey }));
}

/** Whether HOME/keys.json can be read and is not damaged, told without any secret. @throws NectarError KEY_STORE_MISSING, KEY_STORE_INVALID */
export async function checkKeyStore(home: string): Promise<void> {
  await readKeyStore(home);
}

function checked(path: string, read: Omit<ReadKeyStore, 'verify'>, verify: ReadKeyStore['verify']): ReadKeyStore {
  const { store } = read;
  const current = store.keks.find((kek) => kek.id === store.current);
  if (current === undefined || 'destroyedAt' in current)
    throw new NectarError('KEY_STORE_INVALID', { path, problem: 'the current key is not in the list' });
  return { ...read, verify };
}

/** Signs (by MAC) and writes the key list. Resolves with its digest. */
export async function writeKeyStore(home: string, store: KeyStore, macKey: Uint8Array): Promise<string> {
  const { createdAt, generation, current, keks, providers, purposes } = store;
  const list = { version: 2, createdAt, generation, current, keks, providers } as const;
  const body = purposes === undefined ? list : { ...list, purposes };
  const signed = { ...body, mac: macOf(body, macKey) };
  const file: SignedKeyStore = { ...signed, digest: digestOf(signed) };
  if (!Check(keyStoreSchema, file)) throw new TypeError('key store to be written out of shape');
  await replaceFile(keyStorePath(home), `${JSON.stringify(file, undefined, 2)}\n`, MODE);
  return file.digest;
}

function verifyMac(path: string, at: { body: object; claimed: string; macKey: Uint8Array }): void {
  const expected = Buffer.from(macOf(at.body, at.macKey));
  const actual = Buffer.from(at.claimed);
  if (expected.length === actual.length && timingSafeEqual(expected, actual)) return;
  throw new NectarError('KEY_STORE_INVALID', { path, problem: 'its authentication code is wrong' });
}

/** Over JSON in the file's own order: JSON.parse keeps it, so what was written is what is checked. */
function macOf(body: object, macKey: Uint8Array): string {
  return createHmac('sha256', macKey).update(JSON.stringify(body)).digest('base64');
}

function digestOf(signed: object): string {
  return createHash('sha256').update(JSON.stringify(signed)).digest('hex');
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
