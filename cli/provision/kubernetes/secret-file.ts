import { readFile, stat } from 'node:fs/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { NectarError } from '../../../protocol/errors.ts';

/** Twice what Kubernetes lets a Secret hold: its base64, and the text around it. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;
const BASE64 = '^[A-Za-z0-9+/]*={0,2}$';

/** As `init --emit` writes it, and as `kubectl get secret -o yaml` or `-o json` prints it. */
const secretSchema = Type.Object({
  kind: Type.Literal('Secret'),
  data: Type.Record(Type.String({ maxLength: 253 }), Type.String({ pattern: BASE64 })),
});

/** What the Secret of a file holds. @throws NectarError CLI_SECRET_FILE_INVALID */
export async function readSecret(path: string): Promise<ReadonlyMap<string, Buffer>> {
  let value: unknown;
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    value = parse(await readFile(path, 'utf8'), { maxAliasCount: 0 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // The parser quotes the text, which is secret.
    const reason = code === undefined || code.startsWith('BAD_') ? 'it is no YAML' : code;
    throw invalidSecret(path, message.startsWith('it is larger') ? message : reason, cause);
  }
  if (!Value.Check(secretSchema, value)) throw invalidSecret(path, 'it is no Secret with data in base64');
  return new Map(Object.entries(value.data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
}

export function invalidSecret(path: string, reason: string, cause?: unknown): NectarError<'CLI_SECRET_FILE_INVALID'> {
  return new NectarError('CLI_SECRET_FILE_INVALID', { path, reason }, { cause });
}
