/**
 * What a node signs of its backup: a C2SP signed note by its checkpoint key. The first line names the format, so that neither a
 * checkpoint (whose first line is the log's origin) nor a destruction receipt (JSON) can pass for one.
 */
import { NectarError } from '../errors.ts';

export const BACKUP_FORMAT = 'nectar-byon/backup/1';
/** The version of the format that this program writes, and the newest that it reads. */
export const BACKUP_VERSION = 1;

const MAX_HEADER_LENGTH = 4096;
const NODE_ID = /^[0-9a-f]{32}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const PROGRAM = /^[0-9A-Za-z.+-]{1,64}$/;

/** The first entry of a backup, as JSON. Says what it is before anything is read; bound by the manifest like every other entry. */
export interface BackupHeader {
  readonly format: 'nectar-byon-backup';
  readonly version: number;
  /** 16 bytes, hex. */
  readonly nodeId: string;
  /** ISO 8601 UTC: the moment that the backup shows. */
  readonly createdAt: string;
  /** Version of the program that wrote it. */
  readonly program: string;
  /** Format of the home that it holds (format.json). */
  readonly homeFormat: number;
}

/** The signed part. */
export interface BackupStatement {
  readonly nodeId: string;
  readonly createdAt: string;
  /** Entries of the manifest, the header included. */
  readonly entries: number;
  /** Their content, together. */
  readonly bytes: number;
  /** SHA-256 of SHA256SUMS, hex. */
  readonly manifestSha256: string;
}

export function encodeBackupHeader(header: BackupHeader): string {
  return `${JSON.stringify(header, undefined, 2)}\n`;
}

/** @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_VERSION_NEWER */
export function parseBackupHeader(text: string): BackupHeader {
  const value = text.length > MAX_HEADER_LENGTH ? undefined : parseJson(text);
  const { format, version, nodeId, createdAt, program, homeFormat } = (value ?? {}) as Record<string, unknown>;
  if (format !== 'nectar-byon-backup' || !isCount(version)) throw invalid('it does not begin as a backup does');
  if (version > BACKUP_VERSION)
    throw new NectarError('BACKUP_VERSION_NEWER', { found: version, known: BACKUP_VERSION });
  if (!isText(nodeId, NODE_ID) || !isText(createdAt, INSTANT) || !isText(program, PROGRAM) || !isCount(homeFormat)) {
    throw invalid('its header is malformed');
  }
  return { format, version, nodeId, createdAt, program, homeFormat };
}

/** One line of SHA256SUMS. */
export function manifestLine(entry: { readonly path: string; readonly sha256: string }): string {
  return `${entry.sha256}  ${entry.path}\n`;
}

/** The text of the note. */
export function encodeStatement({ nodeId, createdAt, entries, bytes, manifestSha256 }: BackupStatement): string {
  return [
    BACKUP_FORMAT,
    `node ${nodeId}`,
    `created ${createdAt}`,
    `entries ${entries}`,
    `bytes ${bytes}`,
    `manifest sha256:${manifestSha256}`,
    '',
  ].join('\n');
}

/** Parses the text of a note whose signature has been verified. @throws NectarError BACKUP_FORMAT_INVALID */
export function parseStatement(text: string): BackupStatement {
  const [format, ...lines] = text.split('\n');
  const [nodeId, createdAt, entries, bytes, manifest] = [
    'node ',
    'created ',
    'entries ',
    'bytes ',
    'manifest sha256:',
  ].map((prefix, i) => (lines[i]?.startsWith(prefix) === true ? lines[i].slice(prefix.length) : ''));
  const statement = {
    nodeId: nodeId ?? '',
    createdAt: createdAt ?? '',
    entries: Number(entries),
    bytes: Number(bytes),
    manifestSha256: manifest ?? '',
  };
  const shaped =
    format === BACKUP_FORMAT &&
    isText(statement.nodeId, NODE_ID) &&
    isText(statement.createdAt, INSTANT) &&
    isText(statement.manifestSha256, SHA256) &&
    isCount(statement.entries) &&
    isCount(statement.bytes);
  if (!shaped || encodeStatement(statement) !== text) throw invalid('its statement is malformed');
  return statement;
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(problem: string): NectarError {
  return new NectarError('BACKUP_FORMAT_INVALID', { problem });
}
