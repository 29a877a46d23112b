import {
  parseRepositoryHeader,
  type RepositoryHeader,
  type RepositoryName,
  snapshotName,
  tableName,
} from '../../protocol/backup/repository.ts';
import { parseSnapshotStatement, type SnapshotStatement } from '../../protocol/backup/snapshot-statement.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { parseNote, verifyNote } from '../../protocol/merkle/note.ts';
import { parseVerifierKey } from '../../protocol/merkle/verifier-key.ts';

/** The header of a repository that is kept: with the key that its snapshots are signed by. */
export type PinnedHeader = RepositoryHeader & { readonly checkpointKey: string };

/** What a repository's node has signed last. */
export interface Vouched {
  readonly header: PinnedHeader;
  readonly newest: SnapshotStatement | undefined;
}

/** @throws NectarError CUSTODY_CONTENT_REFUSED */
export function parsePinnedHeader(object: string, bytes: Uint8Array): PinnedHeader {
  return refusing(object, () => {
    const header = parseRepositoryHeader(Buffer.from(bytes).toString('utf8'));
    const { checkpointKey } = header;
    if (checkpointKey === undefined)
      throw new NectarError('CUSTODY_CONTENT_REFUSED', { object, problem: 'it names no checkpoint key' });
    parseVerifierKey(checkpointKey);
    return { ...header, checkpointKey };
  });
}

/** A snapshot that the pinned key signed, for this repository and under this number. @throws NectarError CUSTODY_CONTENT_REFUSED */
export function verifySnapshot(
  { checkpointKey, nodeId, repository }: PinnedHeader,
  generation: number,
  bytes: Uint8Array,
): SnapshotStatement {
  const object = snapshotName(generation);
  return refusing(object, () => {
    const note = parseNote(Buffer.from(bytes).toString('utf8'));
    verifyNote(note, [parseVerifierKey(checkpointKey)]);
    const said = parseSnapshotStatement(note.text);
    if (said.nodeId !== nodeId || said.repository !== repository || said.generation !== generation)
      throw new NectarError('CUSTODY_CONTENT_REFUSED', { object, problem: 'it is of another repository or number' });
    return said;
  });
}

/**
 * Why an object has to stay; undefined when it may go. A key table is what opens the records of every snapshot: it goes only for the one
 * that the newest snapshot names, which `isThere`. So whoever has a token, and not the node's key, can add, and take nothing away.
 */
export function reasonToStay(
  name: RepositoryName,
  { newest }: Vouched,
  { prune, isThere }: { readonly prune: boolean; isThere(name: string): boolean },
): string | undefined {
  if (name.kind === 'header') return 'a repository goes as a whole, by whoever runs the node that keeps it';
  if (newest === undefined) return 'there is no snapshot yet';
  if (name.kind === 'table') {
    const { generation, tableSha256 } = newest;
    if (name.sha256 === tableSha256) return 'the newest snapshot needs it';
    if (name.generation > generation) return 'no later snapshot supersedes it';
    return isThere(tableName(generation, tableSha256)) ? undefined : 'the one that supersedes it is not there';
  }
  if (!prune) return 'that takes a token of scope backups:prune';
  if (name.kind === 'note') return name.generation === newest.generation ? 'it is the newest snapshot' : undefined;
  return name.sha256 === newest.manifestSha256 ? 'the newest snapshot needs it' : undefined;
}

function refusing<T>(object: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isNectarError(error) || isNectarError(error, 'CUSTODY_CONTENT_REFUSED')) throw error;
    throw new NectarError('CUSTODY_CONTENT_REFUSED', { object, problem: error.message }, { cause: error });
  }
}
