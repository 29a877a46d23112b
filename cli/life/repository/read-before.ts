import { cidDigest } from '../../../appliance/store/cid.ts';
import { blockCid, type ListedFile, type SnapshotManifest } from '../../../protocol/backup/repository.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { presentObjects } from './check-objects.ts';
import { type FoundSnapshot, readFiles, readManifest } from './open-repository.ts';
import type { RepositorySecret } from './sealed-object.ts';
import type { Target } from './target.ts';

export interface Before {
  readonly before: SnapshotManifest | undefined;
  readonly known: Map<string, ListedFile>;
}

/** What need not be brought again: what the last snapshot names, and is there. Where that cannot be read, all is brought again. */
export async function readBefore(
  target: Target,
  last: FoundSnapshot | undefined,
  secret: RepositorySecret,
): Promise<Before> {
  const nothing: Before = { before: undefined, known: new Map() };
  if (last === undefined) return nothing;
  try {
    const before = await readManifest(target, last, secret);
    const known = await readFiles(target, before, secret);
    const there = await presentObjects(target);
    for (const [path, { pack }] of known) if (!there.has(pack ?? cidDigest(blockCid(path) ?? ''))) known.delete(path);
    return before.lists.every((list) => there.has(list)) ? { before, known } : nothing;
  } catch (error) {
    if (isNectarError(error, 'BACKUP_ALTERED') || isNectarError(error, 'BACKUP_OBJECT_MISSING')) return nothing;
    throw error;
  }
}
