import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import { homePaths, type LockedRole } from './config/home-paths.ts';
import { makeFolder, replaceFile } from './durable-file.ts';

/** The volumes (folders, of a node in one folder) whose loss would look like a node that has just begun. */
export const MARKED_VOLUMES = ['store', 'audit'] as const;
export type MarkedVolume = (typeof MARKED_VOLUMES)[number];

/** In each volume. */
export const MARK_FILE = 'volume.json';
/** In the home, or in the configuration of its containers. */
export const MARKS_FILE = 'volumes.json';
const MAX_FILE_BYTES = 4096;
const ID_BYTES = 16;
export function isMarkedVolume(name: string): name is MarkedVolume {
  return (MARKED_VOLUMES as readonly string[]).includes(name);
}

const ID = /^[0-9a-f]{32}$/;
/** What an empty volume may hold: the lock of the role that looks, and what a file system makes. */
const NOTHING = new Set(['lock', 'lost+found']);

/** VOLUME/volume.json: which volume this is. */
export interface Mark {
  readonly id: string;
  /** An operator said that it begins empty, since what was in it is lost: RFC 3339. */
  readonly emptiedAt?: string;
}

/**
 * HOME/volumes.json: the marks of the volumes that were filled for this node. Of a node that was made before there were any, those alone
 * that began empty since.
 */
export interface VolumeMarks {
  readonly version: 1;
  readonly volumes: Readonly<Partial<Record<MarkedVolume, Mark>>>;
}

/** What is wrong with a volume that was filled once. */
export type VolumeLoss = 'gone' | 'empty' | 'replaced' | 'unmarked';

/** The marks that a node was made with; undefined: it was made before there were any. @throws NectarError VOLUME_MARKS_INVALID */
export function findVolumeMarks(home: string): VolumeMarks | undefined {
  const path = homePaths(home).volumeMarks;
  const value = readJson(path);
  if (value === undefined) return undefined;
  if (!isMarks(value)) throw new NectarError('VOLUME_MARKS_INVALID', { path });
  return value;
}

/** The mark in a file; undefined: there is none. @throws NectarError VOLUME_MARKS_INVALID */
export function findMark(path: string): Mark | undefined {
  const value = readJson(path);
  if (value === undefined || isMark(value)) return value;
  throw new NectarError('VOLUME_MARKS_INVALID', { path });
}

/** What of a volume is not as it was filled; undefined: it is the one. */
export function findVolumeLoss(folder: string, expected: Mark): VolumeLoss | undefined {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
  if (names.every((name) => NOTHING.has(name))) return 'empty';
  const found = readJson(join(folder, MARK_FILE));
  // It may be the one: only an operator can say so.
  if (!isMark(found)) return 'unmarked';
  return found.id === expected.id ? undefined : 'replaced';
}

/**
 * Holds the volumes that a role writes against what they were filled as. A lost one looks like a node without records, or with a log
 * that has just begun: nothing may start on it, until it is back or an operator says that it begins empty.
 *
 * @throws NectarError VOLUME_MISSING, VOLUME_MARKS_INVALID
 */
export function requireVolumes(home: string, role: LockedRole = 'all'): void {
  const marks = findVolumeMarks(home);
  if (marks === undefined) return;
  for (const volume of MARKED_VOLUMES) {
    if (role !== 'all' && role !== volume) continue;
    const expected = marks.volumes[volume];
    if (expected === undefined) continue;
    const place = join(home, volume);
    const loss = findVolumeLoss(place, expected);
    if (loss !== undefined) throw new NectarError('VOLUME_MISSING', { volume, place, loss });
  }
}

/** Marks the volumes of a node that is being made: from now on a lost one is known. */
export async function markVolumes(home: string): Promise<void> {
  const volumes = { store: newMark(), audit: newMark() };
  for (const volume of MARKED_VOLUMES) await writeMark(join(home, volume), volumes[volume]);
  await writeMarks(home, { version: 1, volumes });
}

/** Says of one volume that it begins empty; returns the file of the mark that has to be in it. */
export async function markStartedEmpty(
  home: string,
  { volume, at }: { readonly volume: MarkedVolume; readonly at: string },
): Promise<{ readonly name: string; readonly text: string }> {
  const mark: Mark = { ...newMark(), emptiedAt: at };
  await writeMarks(home, { version: 1, volumes: { ...findVolumeMarks(home)?.volumes, [volume]: mark } });
  return { name: MARK_FILE, text: textOf(mark) };
}

/** What has to be in MARK_FILE of a volume that is the node's own; undefined: none is expected. @throws NectarError VOLUME_MARKS_INVALID */
export function findMarkText(home: string, volume: MarkedVolume): string | undefined {
  const mark = findVolumeMarks(home)?.volumes[volume];
  return mark && textOf(mark);
}

/** What the log says of it at each start; nothing where no volume ever began empty. */
export function startedEmpty(home: string): { readonly startedEmpty?: string } {
  const volumes = findVolumeMarks(home)?.volumes;
  const told = MARKED_VOLUMES.flatMap((volume) => {
    const at = volumes?.[volume]?.emptiedAt;
    return at === undefined ? [] : [`${volume} ${at}`];
  });
  return told.length === 0 ? {} : { startedEmpty: told.join(', ') };
}

/** Durable when it resolves. */
export async function writeMark(folder: string, mark: Mark, name = MARK_FILE): Promise<void> {
  await makeFolder(folder);
  await replaceFile(join(folder, name), textOf(mark), 0o600);
}

async function writeMarks(home: string, marks: VolumeMarks): Promise<void> {
  await replaceFile(join(home, MARKS_FILE), `${JSON.stringify(marks, undefined, 2)}\n`, 0o600);
}

export function newMark(): Mark {
  return { id: randomBytes(ID_BYTES).toString('hex') };
}

function textOf(mark: Mark): string {
  return `${JSON.stringify(mark)}\n`;
}

function isMarks(value: unknown): value is VolumeMarks {
  if (!isObject(value) || value.version !== 1 || !isObject(value.volumes)) return false;
  const { volumes } = value;
  const found = MARKED_VOLUMES.map((volume) => volumes[volume]).filter((mark) => mark !== undefined);
  return found.length > 0 && found.every(isMark);
}

function isMark(value: unknown): value is Mark {
  if (!isObject(value) || typeof value.id !== 'string' || !ID.test(value.id)) return false;
  const { emptiedAt } = value;
  return emptiedAt === undefined || (typeof emptiedAt === 'string' && !Number.isNaN(Date.parse(emptiedAt)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** undefined when the file is not there; null when it is no JSON. */
function readJson(path: string): unknown {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) return null;
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
