import { NectarError } from '../../protocol/errors.ts';
import { encodeEntryBundle } from '../../protocol/merkle/entry-bundle.ts';
import { EMPTY_ROOT, type Hash } from '../../protocol/merkle/hash.ts';
import { multiProofRanges } from '../../protocol/merkle/multi-proof.ts';
import { consistencyRanges, inclusionRanges } from '../../protocol/merkle/prove.ts';
import { encodeTile, TILE_WIDTH, tilePath } from '../../protocol/merkle/tile.ts';
import type { FilledTile } from '../../protocol/merkle/tile-edge.ts';
import type { TreeHead } from '../../protocol/merkle/verify.ts';
import { bodyBundlePath, parseBodyBundle, type StoredEntry } from './body-bundle.ts';
import { bundleOf, createBundleFile } from './bundle-file.ts';
import type { Disk, WholeFile } from './disk.ts';
import type { EntryMaker, PendingEntry } from './pending.ts';
import type { RecoveredLog } from './recover.ts';
import {
  createTileFiles,
  MAX_UNWRITTEN_TILES,
  readRangeHashes,
  type TileFiles,
  UNWRITTEN_TILES_TO_FLUSH,
} from './tile-files.ts';
import type { TreeState } from './tree-state.ts';

/** Hashes of a multi-proof that are read together. */
const RANGES_PER_READ = 4_096;

/** An appended leaf. */
export interface Appended {
  readonly index: number;
  readonly hash: Hash;
}

/** What the log tells about a group that it made durable. */
export interface Committed {
  readonly leaves: number;
  readonly bytes: number;
}

/** The tree at one moment, which later appends do not change. */
export interface Snapshot extends TreeHead {
  readonly partials: readonly FilledTile[];
  /** Leaves of the unfinished bundle. */
  readonly leaves: readonly Uint8Array[];
}

/** The log on disk. Only one commit at a time; reading goes on beside it. */
export interface Log {
  /** Makes the first entries durable: as many as fit into the current bundle. */
  commit(entries: readonly PendingEntry[]): Promise<Appended[]>;
  snapshot(): Snapshot;
  size(): number;
  /** The root of the first leaves. Throws AUDIT_INDEX_OUT_OF_RANGE when there are not so many. */
  rootAt(size: number): Promise<Hash>;
  readBundle(bundle: number): Promise<readonly StoredEntry[]>;
  /** Inclusion path; tiles that the caller gives are used in place of those on disk. */
  inclusion(index: number, at: Snapshot, given?: ReadonlyMap<string, Uint8Array>): Promise<Hash[]>;
  consistency(first: number, at: Snapshot): Promise<Hash[]>;
  /** The hashes of a multi-proof. */
  multiProof(indices: readonly number[], at: Snapshot): Promise<Hash[]>;
  /** Writes the full tiles that wait. */
  flush(): Promise<void>;
  /** Writes the tiles of a tree that is about to be signed, unfinished ones included. */
  writeTiles(at: Snapshot): Promise<void>;
  close(): Promise<void>;
}

export interface LogDeps {
  readonly disk: Disk;
  readonly maker: Pick<EntryMaker, 'make'>;
  readonly recovered: RecoveredLog;
  readonly onCommitted: (committed: Committed) => void;
  readonly onFlushFailed: (error: unknown) => void;
}

/**
 * The folder of a log:
 *   bodies/N       every append is written here first, and is durable by that (body-bundle.ts)
 *   tile/...       C2SP tlog-tiles, made from those leaves behind the appends, at the latest before a checkpoint
 *   checkpoint     the last signed tree head
 */
export function createLog({ disk, maker, recovered, onCommitted, onFlushFailed }: LogDeps): Log {
  const { tree } = recovered;
  const files = createTileFiles(disk);
  for (const file of recovered.files) files.put(file.path, file.bytes);
  const bundleFile = createBundleFile(disk, { bundle: bundleOf(tree.range.size), length: recovered.bundleLength });

  return {
    async commit(entries) {
      if (files.unwritten() >= MAX_UNWRITTEN_TILES) await files.flush();
      const first = tree.range.size;
      const group = entries.slice(0, TILE_WIDTH - (first % TILE_WIDTH));
      const { bytes, leaves } = await maker.make(first, group);
      await bundleFile.write(bytes, bundleOf(first));
      for (const { leaf, leafHash } of leaves) {
        for (const file of tree.append(leaf, leafHash)) files.put(file.path, file.bytes);
      }
      if (files.unwritten() >= UNWRITTEN_TILES_TO_FLUSH) files.flush().catch(onFlushFailed);
      onCommitted({ leaves: group.length, bytes: bytes.length });
      return leaves.map(({ leafHash }, i) => ({ index: first + i, hash: leafHash }));
    },
    size: () => tree.range.size,
    rootAt: (size) => rootAt(size, tree, files),
    snapshot: () => ({ size: tree.range.size, root: tree.root(), partials: tree.partials(), leaves: tree.leaves() }),
    readBundle: (bundle) => readBundle(disk, bundle, tree.range.size - bundle * TILE_WIDTH),
    inclusion(index, at, given) {
      const read = async (path: string): Promise<Uint8Array> => given?.get(path) ?? (await files.read(path));
      return readRangeHashes(inclusionRanges(index, at.size), at, { read });
    },
    consistency: (first, at) => readRangeHashes(consistencyRanges(first, at.size), at, files),
    async multiProof(indices, at) {
      const ranges = multiProofRanges(indices, at.size);
      const hashes: Hash[] = [];
      // In parts, since the tiles of a part are kept in memory.
      for (let done = 0; done < ranges.length; done += RANGES_PER_READ)
        hashes.push(...(await readRangeHashes(ranges.slice(done, done + RANGES_PER_READ), at, files)));
      return hashes;
    },
    flush: () => files.flush(),
    async writeTiles(at) {
      await files.flush();
      const unfinished = unfinishedFiles(at);
      if (unfinished.length > 0) await disk.replace(unfinished);
    },
    close: () => bundleFile.close(),
  };
}

/** From the tiles, of which the unfinished ones are in memory: as cheap for an old size as for a new one. */
async function rootAt(size: number, tree: TreeState, files: Pick<TileFiles, 'read'>): Promise<Hash> {
  const at = { size: tree.range.size, partials: tree.partials() };
  if (size > at.size) throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index: size, size: at.size });
  if (size === at.size) return tree.root();
  if (size === 0) return EMPTY_ROOT;
  const [root] = await readRangeHashes([{ begin: 0, end: size }], at, files);
  return root ?? EMPTY_ROOT;
}

/** @param durable how many of its entries are: what is being written right now has no index yet */
async function readBundle(disk: Disk, bundle: number, durable: number): Promise<readonly StoredEntry[]> {
  const path = bodyBundlePath(bundle);
  const bytes = await disk.read(path);
  if (bytes === undefined) throw new NectarError('AUDIT_BUNDLE_INVALID', { path, reason: 'it is missing' });
  return parseBodyBundle(bytes, bundle).entries.slice(0, Math.max(0, durable));
}

/** Partial tiles and the partial entry bundle of a tree that is about to be signed. */
function unfinishedFiles({ size, partials, leaves }: Snapshot): WholeFile[] {
  const files = partials.map((tile) => ({ path: tilePath(tile), bytes: encodeTile(tile.hashes) }));
  if (leaves.length === 0) return files;
  const entries = { level: 'entries' as const, index: bundleOf(size), width: leaves.length };
  return [...files, { path: tilePath(entries), bytes: encodeEntryBundle(leaves) }];
}
