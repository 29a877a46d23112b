import { createHash } from 'node:crypto';

import { dirname, join, resolve } from 'node:path';
import Type from 'typebox';
import { KEY_BYTES } from '../../../protocol/envelope/crypto.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { createFile } from '../../durable-file.ts';
import { makeFolders } from '../../make-folders.ts';
import { defineProvider } from '../provider.ts';
import { FROM_SECRET, keyOfSecret, newSalt } from './from-secret.ts';
import { readSecretFile, refuseInsideHome } from './secret-file.ts';

const MODE = 0o600;

export const fileProvider = defineProvider({
  name: 'file',
  title: 'a key file',
  payload: { ...FROM_SECRET, path: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })) },
  settings: {
    path: Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'where the key file lies, or will: it is made when it is not there',
      file: true,
    }),
  },
  async enroll({ path }, host) {
    const full = resolve(path);
    const salt = newSalt(host);
    const secret = await ensureKeyFile(full, host.home, host.randomBytes(KEY_BYTES));
    // Where the configuration names it, that is the one place that says where it lies: it may be mounted elsewhere later.
    const configured = host.keyFile !== '' && full === resolve(host.keyFile);
    return { payload: configured ? { salt } : { salt, path: full }, key: keyOfSecret('file', { secret, salt }, host) };
  },
  async open(payload, host) {
    const path = pathOf(payload, host);
    if (path === undefined) throw new NectarError('KEY_FILE_UNNAMED', {});
    const secret = await readKeyFile(path, host.home);
    return [keyOfSecret('file', { secret, salt: payload.salt }, host)];
  },
  wrong: (payload, host) => new NectarError('KEY_FILE_WRONG', { path: pathOf(payload, host) ?? '' }),
});

function pathOf({ path }: { readonly path?: string }, { keyFile }: { readonly keyFile: string }): string | undefined {
  return path ?? (keyFile === '' ? undefined : keyFile);
}

/** Where init puts the key file of a home unless told otherwise: `<configHome>/nectar-byon/<16 hex>.key`. */
export function defaultKeyFile(configHome: string, home: string): string {
  const name = createHash('sha256').update(resolve(home)).digest('hex').slice(0, 16);
  return join(configHome, 'nectar-byon', `${name}.key`);
}

/** The 32 bytes of a key file after every check; the caller wipes them. */
async function readKeyFile(path: string, home: string): Promise<Uint8Array> {
  const { bytes, size } = await readSecretFile(path, { home, maxBytes: KEY_BYTES });
  if (size !== KEY_BYTES || bytes.length !== KEY_BYTES)
    throw new NectarError('KEY_FILE_INVALID', { path, bytes: size, expectedBytes: KEY_BYTES });
  return bytes;
}

/** The key file's bytes, made first when there is none (mode 0600, its folder 0700). */
async function ensureKeyFile(path: string, home: string, fresh: Uint8Array): Promise<Uint8Array> {
  await refuseInsideHome(path, home);
  // One that is there may lie where nothing can be made: a Secret is mounted read-only.
  const there = await readKeyFile(path, home).catch((error: unknown) => {
    if (!isNectarError(error, 'KEY_FILE_MISSING')) throw error;
    return undefined;
  });
  if (there !== undefined) {
    fresh.fill(0);
    return there;
  }
  await makeFolders(dirname(path), 0o700);
  try {
    await createFile(path, fresh, MODE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readKeyFile(path, home);
}
