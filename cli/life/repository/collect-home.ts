import { parseBodyBundle } from '../../../appliance/audit/body-bundle.ts';
import { cidDigest } from '../../../appliance/store/cid.ts';
import { blockCid, type ListedFile, objectName } from '../../../protocol/backup/repository.ts';
import { parseCheckpoint } from '../../../protocol/merkle/checkpoint.ts';
import { parseNote } from '../../../protocol/merkle/note.ts';
import { TILE_WIDTH } from '../../../protocol/merkle/tile.ts';
import type { PinnedHome } from '../backup/collect.ts';
import type { BackupEntry } from '../backup/entry.ts';
import type { FileLists } from './file-lists.ts';
import { blobPath, type IndexCopy } from './index-copy.ts';
import { isKeyFile, readEntry } from './key-table.ts';
import type { Packer } from './packer.ts';
import { memoryObject } from './spooled-object.ts';
import type { Target } from './target.ts';

/** Blocks on their way at a time: each is at most 1 MiB. */
const BLOCKS_AT_ONCE = 8;
/** Whatever their time says, these are read each time: they are what a run is about. */
const BUNDLE_PATH = /^audit\/bodies\/((?:x\d{3}\/){0,5}\d{3})$/;
const ALWAYS_READ = new Set(['audit/checkpoint', 'anchor/progress.json']);

export interface Collecting {
  readonly copy: IndexCopy;
  readonly lists: FileLists;
  readonly packer: Packer;
  readonly blocks: BlockWriter;
  /** Of the snapshot before; 0 for the first. */
  readonly leavesBefore: number;
  readonly signal: AbortSignal;
  onBytes(bytes: number): void;
}

/** What a run has read of a home, besides what lies in the repository by now. */
export interface CollectedHome {
  readonly keyFiles: readonly BackupEntry[];
  readonly small: Record<string, string>;
  /** Leaves in the bundles of the log; its checkpoint comes some time after them. */
  readonly leaves: number;
  readonly checkpoint: { readonly size: number; readonly root: string };
}

/** Sorts the files of a home: the key table's, the index, blocks, what changes with each snapshot, and the log. */
export async function collectHome(
  pinned: PinnedHome,
  { copy, lists, packer, ...parts }: Collecting,
): Promise<CollectedHome> {
  const keyFiles: BackupEntry[] = [];
  const small: Record<string, string> = {};
  // Bundles come in order: the last one counts, and one that has not changed since has what the snapshot before said.
  let leaves = 0;
  let checkpoint = { size: 0, root: '0'.repeat(64) };
  for await (const entry of pinned.entries()) {
    parts.signal.throwIfAborted();
    const { path, size, modifiedAt } = entry;
    parts.onBytes(size);
    const known = ALWAYS_READ.has(path) ? undefined : lists.find(entry);
    if (isKeyFile(path)) keyFiles.push(entry);
    else if (path.startsWith('store/index/')) await copy.add(entry);
    else if (blockCid(path) !== undefined) await parts.blocks.add(entry);
    else if (!/^(audit|anchor)\//.test(path)) small[path] = (await readEntry(entry)).toString('base64');
    else if (known !== undefined) {
      lists.keep(known);
      if (BUNDLE_PATH.test(path)) leaves = parts.leavesBefore;
    } else {
      const content = await readEntry(entry);
      if (path === 'audit/checkpoint') checkpoint = headOf(content);
      leaves = leavesUpTo(path, content) ?? leaves;
      await packer.add({ path, bytes: size, ...(modifiedAt !== undefined && { modifiedAt }) }, content);
    }
  }
  return { keyFiles, small, leaves, checkpoint };
}

/** Leaves of the log up to the end of a bundle; they come in their order. Undefined for any other file. */
function leavesUpTo(path: string, content: Uint8Array): number | undefined {
  const index = BUNDLE_PATH.exec(path)?.[1];
  if (index === undefined) return undefined;
  const bundle = Number(index.replaceAll(/[x/]/g, ''));
  return bundle * TILE_WIDTH + parseBodyBundle(content, bundle).entries.length;
}

function headOf(note: Uint8Array): { size: number; root: string } {
  const { size, root } = parseCheckpoint(parseNote(Buffer.from(note).toString('utf8')).text);
  return { size, root: Buffer.from(root).toString('hex') };
}

/** A small blob of the index. */
export async function packBlob(
  pair: readonly [Uint8Array, Uint8Array],
  { lists, packer }: Pick<Collecting, 'lists' | 'packer'>,
): Promise<void> {
  const path = blobPath(pair);
  const [, value] = pair;
  const known = lists.find({ path, size: value.length });
  if (known !== undefined) lists.keep(known);
  else await packer.add({ path, bytes: value.length }, value);
}

export interface BlockWriter {
  add(entry: BackupEntry): Promise<void>;
  /** Waits for what is on its way; returns how many blocks were damaged. */
  end(): Promise<number>;
}

export function createBlockWriter(
  target: Target,
  lists: FileLists,
  tally: { objects: number; bytes: number },
): BlockWriter {
  const running = new Set<Promise<void>>();
  let failure: unknown;
  let damaged = 0;

  async function write(file: ListedFile, content: Buffer): Promise<void> {
    const object = memoryObject(content);
    if (object.sha256 !== cidDigest(blockCid(file.path) ?? '')) {
      damaged += 1;
      return;
    }
    if (await target.create(objectName(object.sha256), object)) {
      tally.objects += 1;
      tally.bytes += object.bytes;
    }
    lists.add(file);
  }

  return {
    async add(entry) {
      const { path, size } = entry;
      const file = { path, bytes: size };
      const known = lists.find({ path, size });
      if (known !== undefined) return lists.keep(known);
      const content = await readEntry(entry);
      while (running.size >= BLOCKS_AT_ONCE) await Promise.race(running);
      if (failure !== undefined) throw failure;
      const job = write(file, content)
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => running.delete(job));
      running.add(job);
    },
    async end() {
      await Promise.all(running);
      if (failure !== undefined) throw failure;
      return damaged;
    },
  };
}
