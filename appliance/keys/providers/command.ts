import Type from 'typebox';
import { NectarError } from '../../../protocol/errors.ts';
import { defineProvider, type ProviderHost } from '../provider.ts';
import { callTool } from './call-tool.ts';
import { FROM_SECRET, keyOfSecret, MIN_SECRET_BYTES, newSalt, requireStrength } from './from-secret.ts';
import { requireSafeProgram } from './safe-program.ts';

const MAX_OUTPUT_BYTES = 4096;
const TIMEOUT_MS = 30_000;
const argv = Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { minItems: 1, maxItems: 64 });

/** Whatever prints a secret: the client of a key management service, of a password store, of a device that we do not know. */
export const commandProvider = defineProvider({
  name: 'command',
  title: 'a command that prints a secret',
  programs: true,
  payload: { ...FROM_SECRET, argv },
  settings: {
    argv: Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
      minItems: 1,
      maxItems: 64,
      description: `the program by its whole path, and its arguments; it prints the same ${MIN_SECRET_BYTES} bytes or more each time`,
    }),
  },
  async enroll(settings, host) {
    const salt = newSalt(host);
    return { payload: { salt, argv: settings.argv }, key: await keyFrom({ salt, argv: settings.argv }, host) };
  },
  open: async (payload, host) => [await keyFrom(payload, host)],
  wrong: ({ argv: [program = ''] }) => new NectarError('KEY_SECRET_WRONG', { provider: 'command', source: program }),
});

async function keyFrom(of: { readonly salt: string; readonly argv: readonly string[] }, host: ProviderHost) {
  const [program = ''] = of.argv;
  await requireSafeProgram(program, host.home);
  const call = { argv: of.argv, maxOutputBytes: MAX_OUTPUT_BYTES, timeoutMs: TIMEOUT_MS };
  const secret = withoutLineEnd(await callTool('command', call, host));
  requireStrength(secret, { provider: 'command', source: program });
  return keyOfSecret('command', { secret, salt: of.salt }, host);
}

/** Programs that print text end it with a line; those that print bytes do not mean the last one as one. */
function withoutLineEnd(secret: Uint8Array): Uint8Array {
  const end = secret.at(-1) === 0x0a ? (secret.at(-2) === 0x0d ? 2 : 1) : 0;
  return secret.subarray(0, secret.length - end);
}
