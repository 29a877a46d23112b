import type { BackupAuthority } from '../backup-authority.ts';

/**
 * The generation that a repository has reached at least. The home remembers it in a file, which may be lost, or put back with the rest of
 * the home; the node has it on record. A statement is on record before the snapshot that it is of is whole, so a run that was cut off
 * leaves the record one ahead: the record alone shows only what is older by more.
 */
export async function knownFloor(
  repository: string,
  { known, authority }: { known: { readonly generation: number } | undefined; authority: BackupAuthority },
): Promise<number> {
  const onRecord = (await authority.generationOnRecord(repository)) ?? 0;
  return Math.max(known?.generation ?? 0, onRecord - 1);
}
