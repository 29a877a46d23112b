import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative } from 'node:path';
import type { Observation, Subject } from '../fact-set.ts';
import type { Collector } from './collector.ts';
import type { DataSurvey } from './data-survey.ts';
import { openDocument } from './document.ts';
import { look } from './look.ts';
import { type FactsOf, observe } from './observe.ts';
import { looksSealed } from './sealed-bytes.ts';
import type { FileSeen } from './survey.ts';

const OTHERS_WRITE_BITS = 0o022;
const STICKY_BIT = 0o1000;
const GROUP_READ_BIT = 0o040;

/** A file of the node that lies elsewhere on this machine: its key file, a backup. */
export interface OutsideFile {
  readonly purpose: 'root-key' | 'backup';
  /** undefined: there may be one, and what names it cannot be read. */
  readonly path: string | undefined;
  readonly owners: readonly number[];
  /** By which the node reads it, and nobody else. */
  readonly readers?: number | undefined;
}

export interface FilesOptions {
  /** Folder of the command line on this machine. */
  readonly home: string;
  readonly outside: readonly OutsideFile[];
  /** Where the data lies on this machine; undefined where that cannot be seen. */
  readonly dataFolder: string | undefined;
}

type FileFacts = FactsOf<'file'>;

/** The files of the node: those that matter one by one, and of all others whatever is odd about them. */
export function createFilesCollector(options: FilesOptions, { survey }: { readonly survey: DataSurvey }): Collector {
  return {
    name: 'files',
    kinds: ['file'],
    privilege: 'read access to the home, to the volumes through their engine, and to the key file',
    async collect(signal) {
      const { places } = await survey.run(signal);
      const unread = places.find(({ error }) => error !== undefined);
      if (unread?.error !== undefined) throw new Error(unread.error);
      const subjects: Subject[] = [];
      for (const file of places.flatMap(({ files }) => files)) subjects.push(await fileSubject(file, options, signal));
      for (const file of options.outside) subjects.push(await outsideSubject(file, options, signal));
      return subjects;
    },
  };
}

async function fileSubject(
  { place, rule, entry, content }: FileSeen,
  { home }: FilesOptions,
  signal: AbortSignal,
): Promise<Subject> {
  const isHome = place.volume === undefined && entry.path === '';
  const path = entry.path === '' ? '.' : entry.path;
  const facts: FileFacts = {
    'file.purpose': observe(() => rule.purpose),
    'file.path': observe(() => path),
    'file.mode': entry.type === 'symlink' ? { absent: 'a link has no mode of its own' } : observe(() => entry.mode),
    'file.ownerIsNode': observe(() => place.owners.includes(entry.uid)),
    'file.ownerUid': observe(() => entry.uid),
    'file.symlink': observe(() => entry.type === 'symlink'),
    'file.insideHome': { value: true },
    'file.onSameDevice': { absent: 'asked of files outside the node alone' },
    'file.foldersSafe': isHome
      ? await look(signal, () => areFoldersSafe(home, place.owners))
      : { absent: 'asked of the home and of files outside it' },
    'file.sealed': observeSealed(rule.purpose, content),
    'file.private': observe(() => rule.private),
  };
  return { kind: 'file', name: `${place.name}/${path}`.slice(0, 512), facts };
}

function observeSealed(purpose: string, content: Buffer | undefined): Observation {
  if (content === undefined || (purpose !== 'key-store' && purpose !== 'identity'))
    return { absent: 'it is none that must be sealed' };
  if (purpose === 'identity') {
    // The public halves are JSON, and meant to be read.
    return isPublicIdentity(content) ? { absent: 'it holds public keys alone' } : observe(() => looksSealed(content));
  }
  return observe(() => {
    const providers = openDocument(JSON.parse(content.toString('utf8')), 'keys.json')
      .in('providers')
      .items();
    const sealed = providers.map((entry) => Buffer.from(entry.in('sealed').text(), 'base64'));
    return sealed.length > 0 && sealed.every(looksSealed);
  });
}

function isPublicIdentity(content: Buffer): boolean {
  try {
    return (
      openDocument(JSON.parse(content.toString('utf8')))
        .in('checkpointVkey')
        .text() !== ''
    );
  } catch {
    return false;
  }
}

async function outsideSubject(
  { purpose, path: named, owners, readers }: OutsideFile,
  { home, dataFolder }: FilesOptions,
  signal: AbortSignal,
): Promise<Subject> {
  const seen = (read: () => Promise<boolean | number>): Promise<Observation> => look(signal, read);
  const data = async () => {
    if (dataFolder === undefined) throw new Error('where the data lies cannot be seen from here');
    return stat(dataFolder);
  };
  const path = (): string => {
    if (named === undefined) throw new Error('the configuration, which says where it lies, cannot be read');
    return named;
  };
  const facts: FileFacts = {
    'file.purpose': observe(() => purpose),
    'file.path': observe(path),
    'file.mode': await seen(async () => modeBeside(readers, await stat(path()))),
    'file.ownerIsNode': await seen(async () => owners.includes((await stat(path())).uid)),
    'file.ownerUid': await seen(async () => (await stat(path())).uid),
    'file.symlink': await seen(async () => (await lstat(path())).isSymbolicLink()),
    'file.insideHome': await seen(async () => isInside(await realpath(path()), await realpath(home))),
    'file.onSameDevice': await seen(async () => (await stat(path())).dev === (await data()).dev),
    'file.foldersSafe': await seen(async () => areFoldersSafe(path(), owners)),
    'file.sealed': { absent: 'it is none that must be sealed' },
    'file.private': { value: true },
  };
  return { kind: 'file', name: (named ?? `the ${purpose}`).slice(0, 512), facts };
}

/** What others than the node may do with it. */
function modeBeside(readers: number | undefined, { mode, gid }: Stats): number {
  return mode & 0o7777 & ~(gid === readers ? GROUP_READ_BIT : 0);
}

/** Nobody but root and the owners may replace a folder above it; in a sticky one (as /tmp) others cannot replace what is not theirs. */
async function areFoldersSafe(path: string, owners: readonly number[]): Promise<boolean> {
  let folder = dirname(await realpath(path));
  for (;;) {
    const { mode, uid } = await stat(folder);
    const isOpen = (mode & OTHERS_WRITE_BITS) !== 0 && (mode & STICKY_BIT) === 0;
    if (isOpen || (uid !== 0 && !owners.includes(uid))) return false;
    const above = dirname(folder);
    if (above === folder) return true;
    folder = above;
  }
}

function isInside(path: string, folder: string): boolean {
  const below = relative(folder, path);
  return below === '' || (!below.startsWith('..') && !isAbsolute(below));
}
