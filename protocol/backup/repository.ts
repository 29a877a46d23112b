/**
 * What lies where in a backup repository, and what its parts hold. Names are digests and numbers: they tell the holder nothing that the
 * objects themselves do not.
 *
 *   repository.json               RepositoryHeader
 *   objects/ab/<sha256>           immutable: a block as it is at rest, or a sealed pack, list or manifest
 *   keys/<generation>-<sha256>    the key table: the only object that is replaced, and the only one that holds what opens a record
 *   snapshots/<generation>.note   SnapshotStatement, signed
 */
import { NectarError } from '../errors.ts';
import { isBackupPath } from './entry-path.ts';

export const REPOSITORY_VERSION = 1;
export const HEADER_NAME = 'repository.json';
export const SNAPSHOTS = 'snapshots/';
export const TABLES = 'keys/';
export const OBJECTS = 'objects/';

const HEX_16 = /^[0-9a-f]{32}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const PROGRAM = /^[0-9A-Za-z.+-]{1,64}$/;
const VERIFIER_KEY = /^[^+\s]{1,256}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{1,64}$/;
const GENERATION_DIGITS = 10;
const BLOCK_PATH = /^store\/(?:blocks|held)\/[0-9a-z]{1,64}\/(b[a-z2-7]{58})$/;
/** A small blob of the index: its database key, and the beginning of its value's digest. */
const INLINE_PATH = /^inline\/[0-9a-f]{2,256}\.[0-9a-f]{16}$/;

export interface RepositoryHeader {
  readonly format: 'nectar-byon-repository';
  readonly version: number;
  /** 16 random bytes, hex. */
  readonly repository: string;
  readonly nodeId: string;
  readonly createdAt: string;
  /**
   * The node's checkpoint key, NAME+HASH+KEY: a holder that pins it takes no snapshot that the node did not sign. It proves nothing to
   * whoever restores; that key comes from the sealed identity. Absent in repositories of before.
   */
  readonly checkpointKey?: string;
}

export function encodeRepositoryHeader(header: RepositoryHeader): string {
  return `${JSON.stringify(header, undefined, 2)}\n`;
}

/** @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_VERSION_NEWER */
export function parseRepositoryHeader(text: string): RepositoryHeader {
  const { format, version, repository, nodeId, createdAt, checkpointKey } = parseObject(text);
  if (format !== 'nectar-byon-repository' || !isCount(version)) throw invalid('it is no repository');
  if (version > REPOSITORY_VERSION)
    throw new NectarError('BACKUP_VERSION_NEWER', { found: version, known: REPOSITORY_VERSION });
  if (!isText(repository, HEX_16) || !isText(nodeId, HEX_16) || !isText(createdAt, INSTANT))
    throw invalid('its header is malformed');
  if (checkpointKey !== undefined && !isText(checkpointKey, VERIFIER_KEY)) throw invalid('its header is malformed');
  return { format, version, repository, nodeId, createdAt, ...(checkpointKey !== undefined && { checkpointKey }) };
}

export function objectName(sha256: string): string {
  return `${OBJECTS}${sha256.slice(0, 2)}/${sha256}`;
}

/** The digest that an object's name says; undefined for any other name. */
export function objectDigest(name: string): string | undefined {
  const digest = name.slice(-64);
  return SHA256.test(digest) && name === objectName(digest) ? digest : undefined;
}

export function snapshotName(generation: number): string {
  return `${SNAPSHOTS}${String(generation).padStart(GENERATION_DIGITS, '0')}.note`;
}

export function snapshotGeneration(name: string): number | undefined {
  const generation = Number(name.slice(SNAPSHOTS.length, SNAPSHOTS.length + GENERATION_DIGITS));
  return isCount(generation) && generation > 0 && name === snapshotName(generation) ? generation : undefined;
}

export function tableName(generation: number, sha256: string): string {
  return `${TABLES}${String(generation).padStart(GENERATION_DIGITS, '0')}-${sha256}`;
}

export function tableGeneration(name: string): number | undefined {
  const generation = Number(name.slice(TABLES.length, TABLES.length + GENERATION_DIGITS));
  return isCount(generation) && generation > 0 && name === tableName(generation, name.slice(-64))
    ? generation
    : undefined;
}

/** What a name of a repository names. */
export type RepositoryName =
  | { readonly kind: 'header' }
  | { readonly kind: 'object'; readonly sha256: string }
  | { readonly kind: 'table'; readonly generation: number; readonly sha256: string }
  | { readonly kind: 'note'; readonly generation: number };

/** Undefined for what no repository has. */
export function parseRepositoryName(name: string): RepositoryName | undefined {
  if (name === HEADER_NAME) return { kind: 'header' };
  const object = objectDigest(name);
  if (object !== undefined) return { kind: 'object', sha256: object };
  const table = tableGeneration(name);
  if (table !== undefined) return { kind: 'table', generation: table, sha256: name.slice(-64) };
  const note = snapshotGeneration(name);
  return note === undefined ? undefined : { kind: 'note', generation: note };
}

/** The CID of a block's path in a home; undefined for any other file. A block is an object of its own, named by the same digest. */
export function blockCid(path: string): string | undefined {
  return BLOCK_PATH.exec(path)?.[1];
}

/** Where one file lies: in a pack from `offset` on; a block is an object of its own and has no pack. */
export interface ListedFile {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds: with the size what tells that a file has changed. */
  readonly modifiedAt?: number;
  readonly pack?: string;
  readonly offset?: number;
}

/** One line of a list: a file that is there from now on, or the path of one that is not any more. */
export type ListLine = ListedFile | { readonly gone: string };

export function encodeListLine(line: ListLine): string {
  if ('gone' in line) return `${JSON.stringify({ d: line.gone })}\n`;
  const { path, bytes, modifiedAt, pack, offset } = line;
  return `${JSON.stringify({ p: path, n: bytes, m: modifiedAt, o: pack, a: offset })}\n`;
}

/** @throws NectarError BACKUP_FORMAT_INVALID */
export function parseListLine(text: string): ListLine {
  const { p: path, n: bytes, m: modifiedAt, o: pack, a: offset, d: gone } = parseObject(text);
  if (typeof gone === 'string' && isListedPath(gone)) return { gone };
  const packed = isText(pack, SHA256) && isCount(offset);
  const alone = pack === undefined && offset === undefined && typeof path === 'string' && blockCid(path) !== undefined;
  if (typeof path !== 'string' || !isListedPath(path) || !isCount(bytes) || !(packed || alone))
    throw invalid('a list of files is malformed');
  return {
    path,
    bytes,
    ...(isCount(modifiedAt) && { modifiedAt }),
    ...(packed && { pack, offset }),
  };
}

function isListedPath(path: string): boolean {
  return isBackupPath(path) || INLINE_PATH.test(path);
}

/** What a snapshot holds, sealed. */
export interface SnapshotManifest {
  readonly version: 1;
  /** Of the program that wrote it. */
  readonly program: string;
  /** format.json of the home. */
  readonly homeFormat: number;
  /** Digests of the list objects; read in order, they give the files. */
  readonly lists: readonly string[];
  /** Files that the lists give, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Heads in the key table: of records that are there and of those that are destroyed. It never shrinks. */
  readonly heads: number;
  readonly versions: number;
  /** Small files of this moment, by path, base64. */
  readonly small: Readonly<Record<string, string>>;
}

const MAX_LISTS = 1024;
const MAX_SMALL_FILES = 64;

export function encodeManifest(manifest: SnapshotManifest): string {
  return JSON.stringify(manifest);
}

/** @throws NectarError BACKUP_FORMAT_INVALID */
export function parseManifest(text: string): SnapshotManifest {
  const { version, program, homeFormat, lists, files, bytes, heads, versions, small } = parseObject(text);
  const counts = [homeFormat, files, bytes, heads, versions];
  const listed = Array.isArray(lists) && lists.length <= MAX_LISTS && lists.every((list) => isText(list, SHA256));
  const entries = Object.entries(typeof small === 'object' && small !== null ? small : {});
  const smalls =
    entries.length <= MAX_SMALL_FILES &&
    entries.every(([path, content]) => isBackupPath(path) && typeof content === 'string');
  if (version !== 1 || !isText(program, PROGRAM) || !counts.every(isCount) || !listed || !smalls)
    throw invalid('the manifest of a snapshot is malformed');
  return {
    ...{ version, program, lists: lists as string[] },
    ...({ homeFormat, files, bytes, heads, versions } as Record<
      'homeFormat' | 'files' | 'bytes' | 'heads' | 'versions',
      number
    >),
    small: Object.fromEntries(entries) as Record<string, string>,
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw invalid('a part of it is malformed');
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function invalid(problem: string): NectarError {
  return new NectarError('BACKUP_FORMAT_INVALID', { problem });
}
