import { existsSync } from 'node:fs';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../../appliance/make-folders.ts';
import type { OpenVolumes } from './open-volumes.ts';

const PUBLIC_PATHS = ['config.json', 'network.json', 'identity/public.json', 'tls/ca.crt'];
/** What the command line keeps of hardening reports, where there were any. */
const REPORT_PATHS = ['hardening/history.json'];

/**
 * Puts the small files of a node in containers into one folder, as a home has them: the public ones from the host, the sealed ones from
 * the volumes. Nothing in it opens without the key file or passphrase; the caller removes it.
 */
export async function stageSmallFiles(home: string, volumes: OpenVolumes, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await makeFolders(folder, 0o700);
  for (const path of [...PUBLIC_PATHS, ...REPORT_PATHS.filter((name) => existsSync(join(home, name)))]) {
    await makeFolders(dirname(join(folder, path)), 0o700);
    await copyFile(join(home, path), join(folder, path));
  }
  const put = async (path: string, bytes: Uint8Array | undefined): Promise<void> => {
    if (bytes !== undefined) await writeFile(join(folder, path), bytes, { mode: 0o600 });
  };
  await put('keys.json', await volumes.read('keys/keys.json'));
  await put('tokens.json', await volumes.read('gateway/tokens.json'));
  await put('format.json', await volumes.read('store/format.json'));
  for await (const { path, content } of volumes.files('keys/identity')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content()) chunks.push(Buffer.from(chunk));
    if (/^[a-z][a-z0-9-]*\.sealed$/.test(path)) await put(join('identity', path), Buffer.concat(chunks));
  }
}
