import { open } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { NectarError } from '../../../protocol/errors.ts';
import { defineProvider, type ProviderHost } from '../provider.ts';
import { FROM_SECRET, keyOfSecret, newSalt, requireStrength } from './from-secret.ts';

const MAX_BYTES = 4096;
const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$';

/**
 * A credential that systemd decrypts for this unit alone (LoadCredentialEncrypted=, by the machine's TPM or its own key), into memory
 * that is never swapped and that no other unit sees.
 */
export const systemdProvider = defineProvider({
  name: 'systemd',
  title: 'a systemd credential',
  payload: { ...FROM_SECRET, credential: Type.String({ pattern: NAME }) },
  settings: {
    credential: Type.String({
      pattern: NAME,
      description: 'its name in LoadCredentialEncrypted=NAME:FILE of the unit that runs the node',
    }),
  },
  async enroll({ credential }, host) {
    const salt = newSalt(host);
    return { payload: { salt, credential }, key: await keyFrom({ salt, credential }, host) };
  },
  open: async (payload, host) => [await keyFrom(payload, host)],
  wrong: ({ credential }) => new NectarError('KEY_SECRET_WRONG', { provider: 'systemd', source: credential }),
});

async function keyFrom(of: { readonly salt: string; readonly credential: string }, host: ProviderHost) {
  const { credential } = of;
  const secret = await readCredential(credential, host);
  requireStrength(secret, { provider: 'systemd', source: credential });
  return keyOfSecret('systemd', { secret, salt: of.salt }, host);
}

async function readCredential(name: string, { credentials }: ProviderHost): Promise<Uint8Array> {
  if (credentials === undefined) throw new NectarError('KEY_CREDENTIAL_MISSING', { name, where: 'outside a unit' });
  const file = await open(join(credentials, name), 'r').catch((error: NodeJS.ErrnoException) => {
    throw new NectarError('KEY_CREDENTIAL_MISSING', { name, where: error.code ?? 'unreadable' }, { cause: error });
  });
  try {
    const bytes = new Uint8Array(MAX_BYTES);
    const { bytesRead } = await file.read(bytes, 0, MAX_BYTES, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
