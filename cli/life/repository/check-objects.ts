import { createHash, randomInt } from 'node:crypto';
import { cidDigest } from '../../../appliance/store/cid.ts';
import {
  blockCid,
  type ListedFile,
  OBJECTS,
  objectDigest,
  objectName,
  type SnapshotManifest,
  TABLES,
  tableGeneration,
} from '../../../protocol/backup/repository.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { checked, type FoundSnapshot } from './open-repository.ts';
import type { Target } from './target.ts';

export interface CheckObjects {
  readonly target: Target;
  readonly newest: FoundSnapshot;
  readonly manifest: SnapshotManifest;
  readonly files: ReadonlyMap<string, ListedFile>;
  /** So many objects are read whole; all must be there. */
  readonly sample: number;
  readonly signal: AbortSignal;
}

export interface CheckedObjects {
  readonly objects: number;
  readonly bytes: number;
  readonly faults: readonly string[];
}

/** Without opening anything: is each object there that the snapshot names, and are those that are read what their names say? */
export async function checkObjects(request: CheckObjects): Promise<CheckedObjects> {
  const { target, newest, signal } = request;
  const faults: string[] = [];
  const there = await presentObjects(target);
  const needed = neededObjects(request);
  for (const digest of needed) if (!there.has(digest)) faults.push(`${objectName(digest)} is not there`);
  let bytes = await checkTable(target, newest, faults);
  let objects = 1;
  for (const digest of pickSome([...needed], request.sample)) {
    signal.throwIfAborted();
    if (!there.has(digest)) continue;
    try {
      for await (const chunk of checked(target, digest)) bytes += chunk.length;
      objects += 1;
    } catch (error) {
      signal.throwIfAborted();
      if (!isNectarError(error)) throw error;
      faults.push(error.message);
    }
  }
  return { objects, bytes, faults };
}

/** Digests of the objects that are there. */
export async function presentObjects(target: Target): Promise<Set<string>> {
  const there = new Set<string>();
  for await (const { name } of target.list(OBJECTS)) {
    const digest = objectDigest(name);
    if (digest !== undefined) there.add(digest);
  }
  return there;
}

/** Digests of what a snapshot's restore reads. */
export function neededObjects({
  newest,
  manifest,
  files,
}: Pick<CheckObjects, 'newest' | 'manifest' | 'files'>): Set<string> {
  const needed = new Set([newest.manifestSha256, ...manifest.lists]);
  for (const { path, pack } of files.values()) needed.add(pack ?? cidDigest(blockCid(path) ?? ''));
  return needed;
}

async function checkTable(
  target: Target,
  { generation, tableSha256 }: FoundSnapshot,
  faults: string[],
): Promise<number> {
  let bytes = 0;
  let found = false;
  for await (const { name } of target.list(TABLES)) {
    if (tableGeneration(name) !== generation) continue;
    const hash = createHash('sha256');
    for await (const chunk of target.read(name)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    found ||= hash.digest('hex') === tableSha256;
  }
  if (!found) faults.push(`the key table of snapshot ${generation} is not there, or not the one that was signed`);
  return bytes;
}

function pickSome(all: string[], count: number): string[] {
  for (let i = 0; i < Math.min(count, all.length); i += 1) {
    const at = randomInt(i, all.length);
    [all[i], all[at]] = [all[at] ?? '', all[i] ?? ''];
  }
  return all.slice(0, count);
}
