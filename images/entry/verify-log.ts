import { verifyAuditFolder } from '../../appliance/audit/index.ts';
import { homePaths, readPublicIdentity } from '../../appliance/config/index.ts';
import { isBodySecret } from '../../protocol/envelope/body-secret.ts';
import { isNectarError } from '../../protocol/errors.ts';

const HOME = '/nectar';
const PROGRESS_MS = 1_000;

/**
 * `verify audit`: the log in a container that was made for this one purpose, of a node that is down. On standard input the key of the
 * bodies, or nothing: then the tree alone is verified. Prints `{leaves, total}` now and then, at last `{verdict}`, each on a line.
 */
export async function verifyLog(): Promise<number> {
  const say = (value: object): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
  const bodyKey = await readKey();
  let saidAt = 0;
  try {
    const verdict = await verifyAuditFolder({
      folder: homePaths(HOME).audit,
      vkey: readPublicIdentity(HOME).checkpointVkey,
      ...(bodyKey !== undefined && { bodyKey }),
      onProgress({ leaves, total }) {
        if (performance.now() - saidAt < PROGRESS_MS) return;
        saidAt = performance.now();
        say({ leaves, total });
      },
    });
    say({ verdict });
    return 0;
  } catch (error) {
    process.stderr.write(`${isNectarError(error) ? `Error ${error.code}: ${error.message}` : String(error)}\n`);
    return 1;
  } finally {
    bodyKey?.fill(0);
  }
}

async function readKey(): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const key = Buffer.concat(chunks);
  if (key.length === 0) return undefined;
  if (!isBodySecret(key)) throw new Error(`the key on standard input has ${key.length} bytes`);
  return new Uint8Array(key);
}
