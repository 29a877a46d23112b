import { mkdir, open } from 'node:fs/promises';
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
const NAME = /^[a-z][a-z0-9-]{0,63}$/;

export interface IdentityPlace {
  readonly home: string;
  readonly name: string;
  readonly key: Uint8Array;
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
    const secret = openValue(at.crypto, at.key, { place: place(name), sealed: await file.readFile() });
    if (secret === undefined) throw new NectarError('KEY_IDENTITY_INVALID', { name });
    return secret;
  } finally {
    await file.close();
  }
}

function identityPath(at: IdentityPlace): string {
  if (!NAME.test(at.name)) throw new NectarError('KEY_IDENTITY_NAME_INVALID', { name: at.name });
  return join(at.home, 'identity', `${at.name}.sealed`);
}

function place(name: string): Uint8Array {
  return Buffer.from(`nectar/identity/${name}`);
}
