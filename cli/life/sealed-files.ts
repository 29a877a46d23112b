import { join } from 'node:path';
import { readDockerNode } from '../provision/docker/node-spec.ts';
import { openEngine } from '../provision/docker/open-engine.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { withScratch } from '../provision/staging-folder.ts';
import type { Terminal } from '../terminal.ts';
import { withVolumes } from './volumes/open-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

/**
 * Where keys.json and the sealed identities of a node can be read: its home, or, of a node in containers, a copy that is made of its
 * volumes for as long as `work` takes. Nothing in it opens without the key file or passphrase.
 */
export async function withSealedFiles<T>(
  { home, terminal }: { readonly home: string; readonly terminal: Terminal },
  work: (sealed: string) => Promise<T>,
): Promise<T> {
  if (findTarget(home) === undefined) return work(home);
  const node = readDockerNode(home);
  return withScratch(join(home, 'run', 'backup'), async (sealed) => {
    await withVolumes(openEngine(terminal, node.target.engine), node, (volumes) =>
      stageSmallFiles(home, volumes, sealed),
    );
    return work(sealed);
  });
}
