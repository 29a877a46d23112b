import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Type from 'typebox';
import { KEY_BYTES } from '../../../protocol/envelope/crypto.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { defineProvider, type ProviderHost } from '../provider.ts';
import { callTool } from './call-tool.ts';
import { FROM_SECRET, keyOfSecret, newSalt } from './from-secret.ts';

/** Each call takes the TPM tens of milliseconds; making a primary key, on old chips, seconds. */
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** The state of Secure Boot: does not change with a new kernel, does with other keys or with Secure Boot turned off. */
const DEFAULT_PCRS = 'sha256:7';

const blob = Type.String({ minLength: 4, maxLength: 4096, pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const PCRS = '^sha256:([0-9]|1[0-9]|2[0-3])(,([0-9]|1[0-9]|2[0-3])){0,23}$';
const TCTI = '^[a-z0-9-]{1,32}(:[A-Za-z0-9_=,./:-]{1,200})?$';

/** A secret sealed by this machine's TPM 2.0, which lets it out only while the machine has booted as it had when it was enrolled. */
export const tpm2Provider = defineProvider({
  name: 'tpm2',
  title: "this machine's TPM",
  programs: true,
  payload: {
    ...FROM_SECRET,
    pcrs: Type.String({ pattern: PCRS }),
    tcti: Type.Optional(Type.String({ pattern: TCTI })),
    public: blob,
    private: blob,
  },
  settings: {
    pcrs: Type.Optional(
      Type.String({ pattern: PCRS, description: `registers that must not have changed (default: ${DEFAULT_PCRS})` }),
    ),
    tcti: Type.Optional(
      Type.String({ pattern: TCTI, description: 'how tpm2-tools reach the TPM (default: device:/dev/tpmrm0)' }),
    ),
  },
  async enroll({ pcrs = DEFAULT_PCRS, tcti }, host) {
    const secret = host.randomBytes(KEY_BYTES);
    const salt = newSalt(host);
    const sealed = await withTpm({ tcti, host }, (tpm) => seal(tpm, pcrs, secret));
    const payload = { salt, pcrs, ...(tcti !== undefined && { tcti }), ...sealed };
    return { payload, key: keyOfSecret('tpm2', { secret, salt }, host) };
  },
  async open(payload, host) {
    const secret = await withTpm({ tcti: payload.tcti, host }, (tpm) => unseal(tpm, payload));
    return [keyOfSecret('tpm2', { secret, salt: payload.salt }, host)];
  },
  wrong: () => new NectarError('KEY_SECRET_WRONG', { provider: 'tpm2', source: 'the TPM' }),
});

/** A folder for contexts, and the tools run in it. */
interface Tpm {
  readonly folder: string;
  tool(argv: readonly string[], input?: Uint8Array): Promise<Uint8Array>;
}

async function withTpm<T>(
  { tcti, host }: { readonly tcti: string | undefined; readonly host: ProviderHost },
  use: (tpm: Tpm) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-tpm-'));
  const env = tcti === undefined ? {} : { TPM2TOOLS_TCTI: tcti };
  const bounds = { cwd: folder, env, maxOutputBytes: MAX_OUTPUT_BYTES, timeoutMs: TIMEOUT_MS };
  const tool = (argv: readonly string[], input?: Uint8Array): Promise<Uint8Array> =>
    callTool('tpm2', { argv, ...bounds, ...(input !== undefined && { input }) }, host);
  try {
    return await use({ folder, tool });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The storage key of the owner hierarchy: the same on this TPM every time, and on no other. */
async function loadPrimary(tpm: Tpm): Promise<void> {
  await tpm.tool(['tpm2_createprimary', '-Q', '-C', 'o', '-G', 'ecc', '-c', 'primary.ctx']);
  await flush(tpm);
}

async function seal(tpm: Tpm, pcrs: string, secret: Uint8Array): Promise<{ public: string; private: string }> {
  await loadPrimary(tpm);
  await tpm.tool(['tpm2_startauthsession', '-S', 'session.ctx']);
  await tpm.tool(['tpm2_policypcr', '-Q', '-S', 'session.ctx', '-l', pcrs, '-L', 'pcrs.policy']);
  await tpm.tool(['tpm2_flushcontext', 'session.ctx']);
  // Without `userwithauth`: only the policy opens it, no (empty) password does.
  const attributes = 'fixedtpm|fixedparent';
  const object = ['-u', 'key.pub', '-r', 'key.priv', '-a', attributes];
  await tpm.tool(['tpm2_create', '-Q', '-C', 'primary.ctx', '-L', 'pcrs.policy', '-i', '-', ...object], secret);
  await flush(tpm);
  const read = async (name: string): Promise<string> => (await readFile(join(tpm.folder, name))).toString('base64');
  return { public: await read('key.pub'), private: await read('key.priv') };
}

async function unseal(tpm: Tpm, sealed: { public: string; private: string; pcrs: string }): Promise<Uint8Array> {
  await writeFile(join(tpm.folder, 'key.pub'), Buffer.from(sealed.public, 'base64'));
  await writeFile(join(tpm.folder, 'key.priv'), Buffer.from(sealed.private, 'base64'));
  await loadPrimary(tpm);
  await tpm.tool(['tpm2_load', '-Q', '-C', 'primary.ctx', '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx']);
  await flush(tpm);
  const secret = await tpm.tool(['tpm2_unseal', '-c', 'key.ctx', '-p', `pcr:${sealed.pcrs}`]);
  await flush(tpm);
  return secret;
}

/** A bare device has three places for loaded objects. Behind a resource manager this frees ours alone. */
async function flush(tpm: Tpm): Promise<void> {
  await tpm.tool(['tpm2_flushcontext', '-t']).catch(() => undefined);
}
