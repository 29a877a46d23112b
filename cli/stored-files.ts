import { createHash } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../appliance/durable-file.ts';
import { makeFolders } from '../appliance/make-folders.ts';

/** Of one part, of which there are 256: some million files in all. When a part is full its older half is forgotten. */
const MAX_LINES = 4096;
const LINE = /^([0-9a-f]{64}) ([0-9a-f]{32}) ([1-9]\d{0,9})$/;

export interface StoredVersion {
  readonly recordId: string;
  readonly version: number;
}

/**
 * Which files earlier runs of `put` stored, by a hash of what makes a put the same: where the file lies, its size and times, and what its
 * record is to be. Nothing of these is readable in it. A note that is lost costs a record that is stored twice, never one that is
 * missing: whoever finds a note asks the node whether it still has the record.
 */
export interface StoredFiles {
  find(key: string): Promise<StoredVersion | undefined>;
  /** Notes down what was stored; where that cannot be written, nothing. */
  remember(stored: ReadonlyMap<string, StoredVersion>): Promise<void>;
}

/** The key of a put, by its facts in a fixed order. */
export function putKey(facts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

export function openStoredFiles(home: string, maxLines: number = MAX_LINES): StoredFiles {
  const folder = join(home, 'client', 'stored');
  const parts = new Map<string, Promise<Map<string, StoredVersion>>>();
  const pathOf = (part: string): string => join(folder, part);
  const partOf = (key: string): string => key.slice(0, 2);

  function load(part: string): Promise<Map<string, StoredVersion>> {
    const loaded = parts.get(part) ?? readPart(pathOf(part));
    parts.set(part, loaded);
    return loaded;
  }

  async function addTo(part: string, more: ReadonlyMap<string, StoredVersion>): Promise<void> {
    const known = await load(part);
    for (const [key, version] of more) {
      known.delete(key);
      known.set(key, version);
    }
    await makeFolders(folder, 0o700);
    if (known.size <= maxLines) return appendFile(pathOf(part), linesOf(more), { mode: 0o600 });
    const newest = [...known].slice(-Math.ceil(maxLines / 2));
    parts.set(part, Promise.resolve(new Map(newest)));
    await replaceFile(pathOf(part), linesOf(newest), 0o600);
  }

  return {
    find: async (key) => (await load(partOf(key))).get(key),
    async remember(stored) {
      const byPart = Map.groupBy(stored, ([key]) => partOf(key));
      try {
        for (const [part, more] of byPart) await addTo(part, new Map(more));
      } catch {
        // A home that this user may not write to, or a full disk: what was stored is stored.
      }
    },
  };
}

function linesOf(stored: Iterable<readonly [string, StoredVersion]>): string {
  return [...stored].map(([key, { recordId, version }]) => `${key} ${recordId} ${version}\n`).join('');
}

/** A line that a crash cut off, or that is damaged, is none. */
async function readPart(path: string): Promise<Map<string, StoredVersion>> {
  const text = await readFile(path, 'latin1').catch(() => '');
  const known = new Map<string, StoredVersion>();
  for (const line of text.split('\n')) {
    const [, key, recordId, version] = LINE.exec(line) ?? [];
    if (key !== undefined && recordId !== undefined) known.set(key, { recordId, version: Number(version) });
  }
  return known;
}
