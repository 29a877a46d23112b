import { createReadStream } from 'node:fs';
import { createFrameReader } from '../appliance/rollup/snapshot/frames.ts';
import { type Manifest, parseManifest } from '../appliance/rollup/snapshot/manifest.ts';
import { NectarError } from '../protocol/errors.ts';

/** What a snapshot says of itself; whether it is so, the node finds out. Throws CLI_FILE_UNREADABLE, ROLLUP_SNAPSHOT_INVALID. */
export async function readSnapshotManifest(path: string): Promise<Manifest> {
  const stream = createReadStream(path);
  try {
    return parseManifest(await createFrameReader(stream).next());
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? 'unreadable' }, { cause: error });
  } finally {
    stream.destroy();
  }
}

/** Refuses what this network's node would refuse at its start. Throws as above. */
export async function requireSnapshotOf(
  path: string,
  l2: { chainId: string | number; genesisHash: string },
): Promise<void> {
  const { l2ChainId, genesisHash } = await readSnapshotManifest(path);
  if (l2ChainId !== String(l2.chainId) || genesisHash !== l2.genesisHash)
    throw new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason: 'it is of another network' });
}
