import { OBJECTS, objectDigest, snapshotName } from '../../../protocol/backup/repository.ts';
import { keptGenerations, type Retention } from '../../../protocol/backup/retention.ts';
import type { BackupAuthority } from '../backup-authority.ts';
import { neededObjects } from './check-objects.ts';
import { listSnapshots } from './list-snapshots.ts';
import { type FoundSnapshot, readFiles, readManifest } from './open-repository.ts';
import type { RepositorySecret } from './sealed-object.ts';
import type { Target } from './target.ts';

export interface PruneRepository {
  readonly home: string;
  readonly target: Target;
  readonly authority: Pick<BackupAuthority, 'repositoryKey'>;
  readonly keep: Retention;
  /** Say what would go, and let it stay. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export interface PrunedRepository {
  readonly kept: readonly number[];
  readonly removed: readonly number[];
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Lets go of snapshots by a retention, and of what only they need: superseded parts of the log, ciphertext of records that are destroyed.
 * The order is safe to interrupt: what stays is read whole first, then notes go, then objects that no remaining snapshot names; an
 * object too many is removed by the next run. Whoever calls holds the home's lock, so no run brings objects meanwhile.
 */
export async function pruneRepository(request: PruneRepository): Promise<PrunedRepository> {
  const { home, target, authority, keep, dryRun, signal } = request;
  const { repository, snapshots } = await listSnapshots(target, home);
  const kept = keptGenerations(snapshots, keep);
  const [staying, going] = [true, false].map((stays) =>
    snapshots.filter(({ generation }) => kept.has(generation) === stays),
  );
  const secret: RepositorySecret = { repository, key: await authority.repositoryKey(repository) };
  try {
    const needed = new Set<string>();
    for (const snapshot of staying ?? []) await addNeeded(needed, { target, snapshot, secret });
    signal.throwIfAborted();
    for (const { generation } of going ?? []) if (!dryRun) await target.remove(snapshotName(generation));
    if (!dryRun) await target.settle();
    const removed = await removeObjects(request, needed);
    return {
      kept: (staying ?? []).map(({ generation }) => generation),
      removed: (going ?? []).map(({ generation }) => generation),
      ...removed,
    };
  } finally {
    secret.key.fill(0);
  }
}

async function addNeeded(
  needed: Set<string>,
  { target, snapshot, secret }: { target: Target; snapshot: FoundSnapshot; secret: RepositorySecret },
): Promise<void> {
  const manifest = await readManifest(target, snapshot, secret);
  const files = await readFiles(target, manifest, secret);
  for (const digest of neededObjects({ newest: snapshot, manifest, files })) needed.add(digest);
}

async function removeObjects(
  { target, dryRun, signal }: PruneRepository,
  needed: ReadonlySet<string>,
): Promise<{ readonly objects: number; readonly bytes: number }> {
  let [objects, total] = [0, 0];
  for await (const { name, bytes } of target.list(OBJECTS)) {
    signal.throwIfAborted();
    const digest = objectDigest(name);
    if (digest === undefined || needed.has(digest)) continue;
    if (!dryRun) await target.remove(name);
    objects += 1;
    total += bytes;
  }
  if (!dryRun) await target.settle();
  return { objects, bytes: total };
}
