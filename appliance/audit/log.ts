import { NectarError } from '../../protocol/errors.ts';
import { encodeEntryBundle } from '../../protocol/merkle/entry-bundle.ts';
import type { Hash } from '../../protocol/merkle/hash.ts';
import { consistencyRanges, inclusionRanges } from '../../protocol/merkle/prove.ts';
import { encodeTile, TILE_WIDTH, tilePath } from '../../protocol/merkle/tile.ts';
import type { FilledTile } from '../../protocol/merkle/tile-edge.ts';
import type { TreeHead } from '../../protocol/merkle/verify.ts';
import { bodyBundlePath, encodeGroup, parseBodyBundle, type StoredEntry } from './body-bundle.ts';
import type { BodySealer } from './body-seal.ts';
import { type AppendFile, type Disk, writeError } from './disk.ts';
import type { PreparedEntry } from './event.ts';
import type { RecoveredLog } from './recover.ts';
import { createTileFiles, MAX_UNWRITTEN_TILES, readRangeHashes, UNWRITTEN_TILES_TO_FLUSH } from './tile-files.ts';

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
  commit(entries: readonly PreparedEntry[]): Promise<Appended[]>;
  snapshot(): Snapshot;
  size(): number;
  readBundle(bundle: number): Promise<readonly StoredEntry[]>;
  /** Inclusion path; tiles that the caller gives are used in place of those on disk. */
  inclusion(index: number, at: Snapshot, given?: ReadonlyMap<string, Uint8Array>): Promise<Hash[]>;
  consistency(first: number, at: Snapshot): Promise<Hash[]>;
  /** Writes the full tiles that wait. */
  flush(): Promise<void>;
  /** Writes the tiles of a tree that is about to be signed, unfinished ones included. */
  writeTiles(at: Snapshot): Promise<void>;
  close(): Promise<void>;
}

export interface LogDeps {
  readonly disk: Disk;
  readonly sealer: BodySealer;
  readonly recovered: RecoveredLog;
  readonly onCommitted: (committed: Committed) => void;
  readonly onFlushFailed: (error: unknown) => void;
}

export function createLog({ disk, sealer, recovered, onCommitted, onFlushFailed }: LogDeps): Log {
  const { tree } = recovered;
  const files = createTileFiles(disk);
  for (const file of recovered.files) files.put(file.path, file.bytes);
  let length = recovered.bundleLength;
  let open: AppendFile | undefined;
  const bundleNow = (): number => Math.floor(tree.range.size / TILE_WIDTH);

  async function write(bytes: Uint8Array): Promise<void> {
    const path = bodyBundlePath(bundleNow());
    try {
      open ??= await disk.openAppend(path, length);
      await open.write(bytes, length);
    } catch (error) {
      // What a failed write or fsync left on disk is unknown: the next commit opens the file anew and cuts it off first.
      await closeBundle();
      throw writeError(error, path);
    }
  }

  async function closeBundle(): Promise<void> {
    await open?.close().catch(() => undefined);
    open = undefined;
  }

  async function readBundle(bundle: number): Promise<readonly StoredEntry[]> {
    const size = tree.range.size;
    const bytes = await disk.read(bodyBundlePath(bundle));
    if (bytes === undefined)
      throw new NectarError('AUDIT_BUNDLE_INVALID', { path: bodyBundlePath(bundle), reason: 'it is missing' });
    // What is being written right now has no index yet.
    return parseBodyBundle(bytes, bundle).entries.slice(0, Math.max(0, size - bundle * TILE_WIDTH));
  }

  return {
    async commit(entries) {
      if (files.unwritten() >= MAX_UNWRITTEN_TILES) await files.flush();
      const first = tree.range.size;
      const group = entries.slice(0, TILE_WIDTH - (first % TILE_WIDTH));
      const sealed = group.map((entry, i) => ({
        leaf: entry.leaf,
        sealed: sealer.seal({ index: first + i, leafHash: entry.leafHash }, entry),
      }));
      const bytes = encodeGroup(first, sealed);
      await write(bytes);
      length += bytes.length;
      for (const { leaf, leafHash } of group)
        for (const file of tree.append(leaf, leafHash)) files.put(file.path, file.bytes);
      if (tree.range.size % TILE_WIDTH === 0) {
        await closeBundle();
        length = 0;
        if (files.unwritten() >= UNWRITTEN_TILES_TO_FLUSH) files.flush().catch(onFlushFailed);
      }
      onCommitted({ leaves: group.length, bytes: bytes.length });
      return group.map(({ leafHash }, i) => ({ index: first + i, hash: leafHash }));
    },
    size: () => tree.range.size,
    snapshot: () => ({ size: tree.range.size, root: tree.root(), partials: tree.partials(), leaves: tree.leaves() }),
    readBundle,
    inclusion: (index, at, given) =>
      readRangeHashes(inclusionRanges(index, at.size), at, {
        read: async (path) => given?.get(path) ?? (await files.read(path)),
      }),
    consistency: (first, at) => readRangeHashes(consistencyRanges(first, at.size), at, files),
    flush: () => files.flush(),
    async writeTiles(at) {
      await files.flush();
      const tiles = at.partials.map((tile) => ({ path: tilePath(tile), bytes: encodeTile(tile.hashes) }));
      const width = at.leaves.length;
      const entries = { level: 'entries' as const, index: Math.floor(at.size / TILE_WIDTH), width };
      if (width > 0) tiles.push({ path: tilePath(entries), bytes: encodeEntryBundle(at.leaves) });
      if (tiles.length > 0) await disk.replace(tiles);
    },
    close: closeBundle,
  };
}
