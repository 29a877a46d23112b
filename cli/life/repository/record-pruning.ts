import type { PruningNote } from '../../../appliance/gateway/backup-schemas.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { PrunedRepository } from './prune-repository.ts';

export interface Pruning {
  /** Where the repository is, as the operator says it. */
  readonly target: string;
  readonly repository: string;
  prune(): Promise<PrunedRepository>;
  /** Puts it on record at the own node; the holder has a record of its own. */
  tell(note: PruningNote): Promise<void>;
}

/**
 * Prunes, and has both outcomes on record. A holder whose token may not prune keeps every snapshot: that has a name of its own, since
 * nothing is broken, and since it says what is lacking.
 *
 * @throws NectarError BACKUP_PRUNE_DENIED, and what pruning throws
 */
export async function recordPruning({ target, repository, prune, tell }: Pruning): Promise<PrunedRepository> {
  const none = { kept: 0, removed: 0, objects: 0, bytes: 0 };
  try {
    const done = await prune();
    const { objects, bytes } = done;
    const counts = { kept: done.kept.length, removed: done.removed.length, objects, bytes };
    await tell({ repository, outcome: 'success', ...counts });
    return done;
  } catch (error) {
    const failure = isNectarError(error, 'GATEWAY_SCOPE_MISSING')
      ? new NectarError('BACKUP_PRUNE_DENIED', { target }, { cause: error })
      : error;
    const reason = isNectarError(failure) ? failure.code : 'NODE_INTERNAL';
    await tell({ repository, outcome: 'failure', ...none, reason });
    throw failure;
  }
}

/** What follows a scheduled snapshot. Trouble with the retention keeps nobody from knowing whether the copy restores; it is thrown behind. */
export async function pruneThenVerify<T>(prune: () => Promise<unknown>, verify: () => Promise<T>): Promise<T> {
  let trouble: { readonly error: NectarError } | undefined;
  try {
    await prune();
  } catch (error) {
    if (!isNectarError(error)) throw error;
    trouble = { error };
  }
  const verified = await verify();
  if (trouble !== undefined) throw trouble.error;
  return verified;
}
