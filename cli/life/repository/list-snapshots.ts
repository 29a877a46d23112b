import { readPublicIdentity } from '../../../appliance/config/index.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { type FoundSnapshot, findRepository, listGenerations, readSnapshot } from './open-repository.ts';
import type { Target } from './target.ts';

/** The snapshots of a repository, each with its signature verified, and whether each names the one before it. */
export interface SnapshotList {
  readonly repository: string;
  readonly snapshots: readonly FoundSnapshot[];
}

/** @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_REPOSITORY_FOREIGN, BACKUP_SIGNATURE_INVALID, BACKUP_REPOSITORY_FORKED */
export async function listSnapshots(target: Target, home: string): Promise<SnapshotList> {
  const header = await findRepository(target);
  if (header === undefined)
    throw new NectarError('BACKUP_FORMAT_INVALID', { problem: `${target.url} is no repository` });
  const { nodeId, checkpointVkey } = readPublicIdentity(home);
  if (header.nodeId !== nodeId)
    throw new NectarError('BACKUP_REPOSITORY_FOREIGN', { target: target.url, nodeId: header.nodeId });
  const key = parseVerifierKey(checkpointVkey);
  const snapshots: FoundSnapshot[] = [];
  for (const generation of await listGenerations(target)) {
    const found = await readSnapshot(target, generation, { header, key });
    const before = snapshots.at(-1);
    // Pruning leaves gaps; where there is none, the chain must hold.
    if (before?.generation === generation - 1 && before.noteSha256 !== found.previous)
      throw new NectarError('BACKUP_REPOSITORY_FORKED', { target: target.url, generation });
    snapshots.push(found);
  }
  return { repository: header.repository, snapshots };
}
