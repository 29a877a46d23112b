import { join } from 'node:path';
import { withScratch } from '../provision/staging-folder.ts';
import type { Terminal } from '../terminal.ts';
import { isInVolumes, withNodeVolumes } from './volumes/node-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

/**
 * Where keys.json and the sealed identities of a node can be read: its home, or, of a node in containers or pods, a copy that is made of its
 * volumes for as long as `work` takes. Nothing in it opens without the key file or passphrase.
 */
export async function withSealedFiles<T>(
  { home, terminal }: { readonly home: string; readonly terminal: Terminal },
  work: (sealed: string) => Promise<T>,
): Promise<T> {
  if (!isInVolumes(home)) return work(home);
  return withScratch(join(home, 'run', 'backup'), async (sealed) => {
    await withNodeVolumes({ home, terminal }, (volumes) => stageSmallFiles(home, volumes, sealed));
    return work(sealed);
  });
}
