import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import {
  openValue,
  SEALED_VALUE_OVERHEAD_BYTES,
  SEALED_VALUE_RANDOM_BYTES,
  sealValue,
} from '../../protocol/envelope/sealed-value.ts';
import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';

/** An identity is a key, a seed or a PEM: small. */
const MAX_SECRET_BYTES = 64 * 1024;
const SEALED = '.sealed';
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

export interface IdentityPlace {
  readonly home: string;
  readonly name: string;
  readonly key: Uint8Array;
  /** The key before, while an identity may still be sealed by it: read by it, never written. */
  readonly former?: Uint8Array | undefined;
  readonly crypto: EnvelopeCrypto;
}

/** Writes HOME/identity/NAME.sealed. */
export async function writeIdentity(
  at: IdentityPlace,
  secret: Uint8Array,
  randomBytes: (n: number) => Uint8Array,
): Promise<void> {
  const path = identityPath(at);
  if (secret.length > MAX_SECRET_BYTES) throw new RangeError('identity too large');
  await mkdir(join(at.home, 'identity'), { recursive: true, mode: 0o700 });
  const input = { place: place(at.name), value: secret, random: randomBytes(SEALED_VALUE_RANDOM_BYTES) };
  await replaceFile(path, sealValue(at.crypto, at.key, input), 0o600);
}

/** Reads it back. KEY_IDENTITY_MISSING, KEY_IDENTITY_INVALID (altered, moved from another name or node). */
export async function readIdentity(at: IdentityPlace): Promise<Uint8Array> {
  const { name } = at;
  const file = await open(identityPath(at), 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new NectarError('KEY_IDENTITY_MISSING', { name });
    throw error;
  });
  try {
    const { size } = await file.stat();
    if (size > MAX_SECRET_BYTES + SEALED_VALUE_OVERHEAD_BYTES) throw new NectarError('KEY_IDENTITY_INVALID', { name });
    const input = { place: place(name), sealed: await file.readFile() };
    const secret = openValue(at.crypto, at.key, input) ?? (at.former && openValue(at.crypto, at.former, input));
    if (secret === undefined) throw new NectarError('KEY_IDENTITY_INVALID', { name });
    return secret;
  } finally {
    await file.close();
  }
}

/** The names of the sealed identities of a home. */
export async function listIdentities(home: string): Promise<string[]> {
  const names = await readdir(join(home, 'identity')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith(SEALED))
    .map((name) => name.slice(0, -SEALED.length))
    .filter((name) => NAME.test(name))
    .sort();
}

function identityPath(at: IdentityPlace): string {
  if (!NAME.test(at.name)) throw new NectarError('KEY_IDENTITY_NAME_INVALID', { name: at.name });
  return join(at.home, 'identity', `${at.name}${SEALED}`);
}

function place(name: string): Uint8Array {
  return Buffer.from(`nectar/identity/${name}`);
}
