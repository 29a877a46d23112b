/**
 * What a node signs of each run into a backup repository: a C2SP signed note by its checkpoint key, over the snapshot's manifest and
 * the key table of that moment. Each names the one before it, so that the notes of a repository are a chain.
 */
import { NectarError } from '../errors.ts';

export const SNAPSHOT_FORMAT = 'nectar-byon/backup-snapshot/1';
/** `previous` of a repository's first snapshot. */
export const NO_PREVIOUS = '0'.repeat(64);

const HEX_16 = /^[0-9a-f]{32}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The signed part of a snapshot. Digests are SHA-256, hex. */
export interface SnapshotStatement {
  /** 16 bytes, hex. */
  readonly nodeId: string;
  /** 16 bytes, hex. */
  readonly repository: string;
  /** 1, 2, 3, ... in one repository, without a gap. */
  readonly generation: number;
  /** ISO 8601 UTC: the moment that the snapshot shows. */
  readonly createdAt: string;
  /** Leaves of the audit log at that moment: a version belongs to the snapshot when its leaf is among them. */
  readonly leaves: number;
  /** Of the log's last checkpoint then. */
  readonly checkpointSize: number;
  readonly checkpointRoot: string;
  /** Of the sealed manifest. */
  readonly manifestSha256: string;
  /** Of the key table that belongs to this generation. */
  readonly tableSha256: string;
  /** Of the note of the generation before; NO_PREVIOUS for the first. */
  readonly previous: string;
}

/** The text of the note. */
export function encodeSnapshotStatement(statement: SnapshotStatement): string {
  const { nodeId, repository, generation, createdAt, leaves } = statement;
  return [
    SNAPSHOT_FORMAT,
    `node ${nodeId}`,
    `repository ${repository}`,
    `generation ${generation}`,
    `created ${createdAt}`,
    `leaves ${leaves}`,
    `checkpoint ${statement.checkpointSize} ${statement.checkpointRoot}`,
    `manifest sha256:${statement.manifestSha256}`,
    `table sha256:${statement.tableSha256}`,
    `previous sha256:${statement.previous}`,
    '',
  ].join('\n');
}

/** Parses the text of a note whose signature has been verified. @throws NectarError BACKUP_FORMAT_INVALID */
export function parseSnapshotStatement(text: string): SnapshotStatement {
  const [format, ...lines] = text.split('\n');
  const after = (line: number, prefix: string): string =>
    lines[line]?.startsWith(prefix) === true ? (lines[line]?.slice(prefix.length) ?? '') : '';
  const [checkpointSize = '', checkpointRoot = ''] = after(5, 'checkpoint ').split(' ');
  const statement: SnapshotStatement = {
    nodeId: after(0, 'node '),
    repository: after(1, 'repository '),
    generation: Number(after(2, 'generation ')),
    createdAt: after(3, 'created '),
    leaves: Number(after(4, 'leaves ')),
    checkpointSize: Number(checkpointSize),
    checkpointRoot,
    manifestSha256: after(6, 'manifest sha256:'),
    tableSha256: after(7, 'table sha256:'),
    previous: after(8, 'previous sha256:'),
  };
  if (format !== SNAPSHOT_FORMAT || !isWellFormed(statement) || encodeSnapshotStatement(statement) !== text)
    throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'the statement of a snapshot is malformed' });
  return statement;
}

function isWellFormed(statement: SnapshotStatement): boolean {
  const { nodeId, repository, generation, createdAt, leaves, checkpointSize } = statement;
  const digests = [statement.checkpointRoot, statement.manifestSha256, statement.tableSha256, statement.previous];
  return (
    [nodeId, repository].every((id) => HEX_16.test(id)) &&
    digests.every((digest) => SHA256.test(digest)) &&
    INSTANT.test(createdAt) &&
    Number.isSafeInteger(generation) &&
    generation >= 1 &&
    [leaves, checkpointSize].every((count) => Number.isSafeInteger(count) && count >= 0)
  );
}
