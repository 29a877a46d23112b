import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HEADER_NAME } from '../../protocol/backup/repository.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../protocol/errors.ts';
import { createFile, makeFolder, requireFree } from '../durable-file.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { CustodyConfig } from './config.ts';
import type { Custody, CustodyStanding, KeptObject, KeptRepository, Removed } from './interfaces.ts';
import {
  addContent,
  type KeptRepositoryState,
  loadRepository,
  once,
  parseName,
  readSmall,
  removeContent,
} from './kept-repository.ts';
import { createCustodyMetrics } from './metrics.ts';
import { createRepositoryFolder, PARTS } from './repository-folder.ts';
import { createTurns } from './turns.ts';
import { parsePinnedHeader } from './vouched.ts';

const OWNER_FILE = 'owner.json';
const FOLDER_CHARS = 32;
/** Of what begins a repository: they are counted. */
const BEGINNING = 'begin';

export interface CustodyOptions {
  /** Holds a folder for each repository. */
  readonly folder: string;
  readonly config: CustodyConfig;
}

export interface CustodyDependencies {
  readonly metrics: Metrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is refused and needs eyes. That an object is there already is how owners find out what they need not send. */
const COUNTED: ReadonlySet<ErrorCode> = new Set([
  'CUSTODY_CONTENT_REFUSED',
  'CUSTODY_QUOTA',
  'CUSTODY_REMOVAL_REFUSED',
  'NODE_DISK_FULL',
] as const);

/** Keeps backup repositories of other nodes. Whoever wires it holds the lock of the folder above: nobody else changes it. */
export function createCustody({ folder, config }: CustodyOptions, { metrics, now }: CustodyDependencies): Custody {
  const find = createFinder(folder);
  const inTurn = createTurns();
  const repositories = (): Promise<KeptRepository[]> => describeAll(folder, find);
  const quota = config.maxBytesPerRepository;
  const counters = createCustodyMetrics(metrics, { repositories, quota, now });
  let refused = 0;
  const counting = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (isNectarError(error) && COUNTED.has(error.code)) {
        refused += 1;
        counters.refused.inc({ code: error.code });
      }
      throw error;
    }
  };

  async function begin(owner: string, body: AsyncIterable<Uint8Array>): Promise<KeptObject> {
    const content = await readSmall(HEADER_NAME, body);
    parsePinnedHeader(HEADER_NAME, content);
    return inTurn(BEGINNING, async () => {
      if ((await find.of(owner)) !== undefined)
        throw new NectarError('CUSTODY_OBJECT_PRESENT', { object: HEADER_NAME });
      const limit = config.maxRepositories;
      if ((await foldersIn(folder)).length >= limit)
        throw new NectarError('CUSTODY_QUOTA', { limit, unit: 'repositories' });
      const place = find.place(owner);
      await makeFolder(place);
      await requireFree(place, config.minFreeBytes);
      await createFile(join(place, OWNER_FILE), JSON.stringify({ owner }), 0o600).catch(unlessThere);
      return createRepositoryFolder(place).create(HEADER_NAME, once(content), undefined);
    });
  }

  async function add(owner: string, name: string, body: AsyncIterable<Uint8Array>): Promise<KeptObject> {
    const one = await find.of(owner);
    if (one === undefined)
      throw new NectarError('CUSTODY_CONTENT_REFUSED', { object: name, problem: `${HEADER_NAME} comes first` });
    await requireFree(folder, config.minFreeBytes);
    return addContent(one, { name, body, maxBytes: config.maxBytesPerRepository });
  }

  async function existing(owner: string): Promise<KeptRepositoryState> {
    const one = await find.of(owner);
    if (one === undefined) throw new NectarError('CUSTODY_REPOSITORY_ABSENT', {});
    return one;
  }

  const remove = (owner: string, names: readonly string[], prune: boolean): Promise<Removed> =>
    inTurn(owner, async () => removeContent(await existing(owner), names, prune));

  return {
    async *list(owner, part) {
      const one = await find.of(owner);
      if (one !== undefined) yield* one.files.list(part);
    },
    async read(owner, name) {
      parseName(name);
      const one = await find.of(owner);
      if (one === undefined) throw new NectarError('CUSTODY_OBJECT_ABSENT', { object: name });
      return one.files.open(name);
    },
    async put(owner, name, body, signal) {
      const { kind } = parseName(name);
      const watched = abortable(body, signal);
      if (kind === 'header') return counting(begin(owner, watched));
      return counting(kind === 'note' ? inTurn(owner, () => add(owner, name, watched)) : add(owner, name, watched));
    },
    supersede: (owner, names) => counting(remove(owner, names, false)),
    prune: (owner, names) => counting(remove(owner, names, true)),
    repositories,
    standing: async () => ({ ...summarise(await repositories()), quotaBytes: quota, refused }),
    destroy: (owner) =>
      inTurn(owner, async () => {
        const { files, bytes } = await existing(owner);
        let objects = 0;
        for (const part of PARTS) for await (const _ of files.list(part)) objects += 1;
        find.forget(owner);
        await rm(find.place(owner), { recursive: true, force: true });
        return { objects, bytes };
      }),
  };
}

/** The repositories that have begun, each loaded once. */
interface Finder {
  of(owner: string): Promise<KeptRepositoryState | undefined>;
  place(owner: string): string;
  forget(owner: string): void;
}

function createFinder(folder: string): Finder {
  const kept = new Map<string, Promise<KeptRepositoryState | undefined>>();
  const place = (owner: string): string =>
    join(folder, createHash('sha256').update(owner).digest('hex').slice(0, FOLDER_CHARS));
  return {
    place,
    forget: (owner) => void kept.delete(owner),
    of(owner) {
      const known = kept.get(owner);
      if (known !== undefined) return known;
      const found = loadRepository(createRepositoryFolder(place(owner)));
      kept.set(owner, found);
      // Only what has begun is remembered: names that callers make up take no memory.
      const drop = (): void => {
        if (kept.get(owner) === found) kept.delete(owner);
      };
      found.then((one) => one === undefined && drop(), drop);
      return found;
    },
  };
}

async function describeAll(folder: string, find: Finder): Promise<KeptRepository[]> {
  const all: KeptRepository[] = [];
  for (const name of await foldersIn(folder)) {
    const owner = await readOwner(join(folder, name));
    const one = owner === undefined ? undefined : await find.of(owner);
    if (owner === undefined || one === undefined) continue;
    const { header, newest } = one.vouched;
    const { repository, nodeId, createdAt, checkpointKey } = header;
    const { generation = 0, createdAt: snapshotAt = '' } = newest ?? {};
    all.push({ owner, repository, nodeId, createdAt, checkpointKey, generation, snapshotAt, bytes: one.bytes });
  }
  return all;
}

function summarise(all: readonly KeptRepository[]): Omit<CustodyStanding, 'quotaBytes' | 'refused'> {
  const sizes = all.map(({ bytes }) => bytes);
  const [oldestAt = null] = all.flatMap(({ snapshotAt }) => (snapshotAt === '' ? [] : [snapshotAt])).toSorted();
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { repositories: all.length, bytes, fullestBytes: Math.max(0, ...sizes), oldestAt };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** undefined for a folder that a crash left before it had one. */
async function readOwner(folder: string): Promise<string | undefined> {
  try {
    const { owner } = JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8')) as { owner?: unknown };
    return typeof owner === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

function unlessThere(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

async function* abortable(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    signal.throwIfAborted();
    yield chunk;
  }
}
