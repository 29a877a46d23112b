import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import Type from 'typebox';
import { KEY_BYTES } from '../../../protocol/envelope/crypto.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { defineProvider, type ProviderHost } from '../provider.ts';
import { callTool } from './call-tool.ts';
import { FROM_SECRET, keyOfSecret, newSalt } from './from-secret.ts';
import { requireSafeProgram } from './safe-program.ts';
import { readSecretFile } from './secret-file.ts';

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 16 * 1024;
const MAX_PIN_BYTES = 256;

const path = (description: string) => Type.String({ pattern: '^/', maxLength: 4096, description, file: true });
const token = {
  module: path('the library of the token, such as /usr/lib/softhsm/libsofthsm2.so'),
  token: Type.String({ pattern: '^[\\x20-\\x7e]{1,32}$', description: 'its label' }),
  key: Type.String({ pattern: '^([0-9a-f]{2}){1,32}$', description: 'the id of its RSA key, in hex' }),
  pinFile: path("the file that holds the PIN, its owner's alone"),
};
type TokenKey = { readonly module: string; readonly token: string; readonly key: string; readonly pinFile: string };

/**
 * A secret that only the token's RSA key decrypts (OAEP with SHA-1, which every token has, and whose safety does not rest on
 * SHA-1's collisions). The key never leaves the token; OpenSC's pkcs11-tool speaks to it.
 */
export const pkcs11Provider = defineProvider({
  name: 'pkcs11',
  title: 'a PKCS#11 token',
  programs: true,
  payload: {
    ...FROM_SECRET,
    ...token,
    wrapped: Type.String({ minLength: 4, maxLength: 4096, pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
  },
  settings: token,
  async enroll(settings, host) {
    const secret = host.randomBytes(KEY_BYTES);
    const salt = newSalt(host);
    const wrapped = publicEncrypt(
      { key: await publicKey(settings, host), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      secret,
    ).toString('base64');
    const payload = { salt, ...settings, wrapped };
    // Enrolled is what the token opens, not what we hope that it opens.
    const opened = await decrypt(payload, host);
    const same = Buffer.compare(opened, secret) === 0;
    opened.fill(0);
    if (!same) throw new NectarError('KEY_SECRET_WRONG', { provider: 'pkcs11', source: settings.token });
    return { payload, key: keyOfSecret('pkcs11', { secret, salt }, host) };
  },
  async open(payload, host) {
    return [keyOfSecret('pkcs11', { secret: await decrypt(payload, host), salt: payload.salt }, host)];
  },
  wrong: (payload) => new NectarError('KEY_SECRET_WRONG', { provider: 'pkcs11', source: payload.token }),
});

async function publicKey(of: TokenKey, host: ProviderHost) {
  await requireSafeProgram(of.module, host.home);
  const argv = [...tool(of), '--read-object', '--type', 'pubkey', '--id', of.key];
  const der = await callTool('pkcs11', { argv, maxOutputBytes: MAX_OUTPUT_BYTES, timeoutMs: TIMEOUT_MS }, host);
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch (cause) {
    const said = 'its public key is not one that we know';
    throw new NectarError(
      'KEY_TOOL_FAILED',
      { provider: 'pkcs11', program: 'pkcs11-tool', reason: '', said },
      { cause },
    );
  }
}

async function decrypt(of: TokenKey & { readonly wrapped: string }, host: ProviderHost): Promise<Uint8Array> {
  await requireSafeProgram(of.module, host.home);
  const { bytes: pin } = await readSecretFile(of.pinFile, { home: host.home, maxBytes: MAX_PIN_BYTES });
  const oaep = ['-m', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1'];
  const argv = [...tool(of), '--login', '--pin', 'env:NECTAR_PIN', '--decrypt', ...oaep, '--id', of.key];
  const env = {
    NECTAR_PIN: Buffer.from(pin)
      .toString('latin1')
      .replace(/\r?\n$/, ''),
  };
  const input = Buffer.from(of.wrapped, 'base64');
  pin.fill(0);
  return callTool('pkcs11', { argv, env, input, maxOutputBytes: MAX_OUTPUT_BYTES, timeoutMs: TIMEOUT_MS }, host);
}

function tool({ module, token: label }: TokenKey): string[] {
  return ['pkcs11-tool', '--module', module, '--token-label', label];
}
