import { NectarError } from '../../protocol/errors.ts';
import { type Checkpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { isSameHash, leafHash } from '../../protocol/merkle/hash.ts';
import { rangeNodes } from '../../protocol/merkle/prove.ts';
import { hashInTile, parseTile, TILE_HEIGHT, TILE_WIDTH, tileOfNode, tilePath } from '../../protocol/merkle/tile.ts';
import type { VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import type { TreeHead } from '../../protocol/merkle/verify.ts';
import { bodyBundlePath, parseBodyBundle, type StoredEntry } from './body-bundle.ts';
import type { BodyPlace, BodySealer } from './body-seal.ts';
import type { Disk } from './disk.ts';
import { createTreeState, type TreeFile, type TreeStart, type TreeState } from './tree-state.ts';

/** The log as it was found on disk. */
export interface RecoveredLog {
  readonly tree: TreeState;
  /** Files of full tiles that a crash may have kept from being written. */
  readonly files: readonly TreeFile[];
  /** Durable bytes of the bundle that takes the next leaf. */
  readonly bundleLength: number;
  /** Bytes behind them that a crash left; opening the bundle for appending removes them. */
  readonly torn: number;
  /** The last checkpoint, as text; undefined for a log that has never been. */
  readonly checkpoint: string | undefined;
}

export interface RecoverOptions {
  readonly key: VerifierKey;
  /** Opens bodies: behind the checkpoint a seal is all that shows a leaf to be ours. */
  readonly sealer: Pick<BodySealer, 'open'>;
  /** Tree heads that have left the machine: the log must not be shorter, nor another one. */
  readonly external: readonly (TreeHead & { readonly where: string })[];
}

/** Path of the checkpoint below the log. */
export const CHECKPOINT_PATH = 'checkpoint';

/**
 * Finds the last durable leaf. Leaves up to the last checkpoint are taken from the tiles, those behind it from the bundles
 * that every append is written to. Throws when what is found is less than, or not, what a checkpoint vouches for.
 */
export async function recoverLog(disk: Disk, { key, sealer, external }: RecoverOptions): Promise<RecoveredLog> {
  const note = await readCheckpoint(disk);
  const checkpoint = note === undefined ? undefined : verifyCheckpoint(note, key);
  if (checkpoint === undefined) await refuseOldLog(disk);
  const first = Math.floor((checkpoint?.size ?? 0) / TILE_WIDTH);
  const tree = createTreeState(await readTreeStart(disk, first));
  const heads = [...(checkpoint === undefined ? [] : [{ ...checkpoint, where: 'the checkpoint' }]), ...external];
  const replayed = await replayBundles(disk, tree, { first, heads, sealer, signed: checkpoint?.size ?? 0 });
  for (const { size, where } of heads) {
    if (size > tree.range.size)
      throw new NectarError('AUDIT_TRUNCATED', { size: tree.range.size, expected: size, where });
  }
  return { tree, ...replayed, checkpoint: note };
}

/** The text of the checkpoint file; undefined when it is absent. */
export async function readCheckpoint(disk: Disk): Promise<string | undefined> {
  const bytes = await disk.read(CHECKPOINT_PATH);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

/** A log signs its first checkpoint before its first leaf: leaves without one mean that the checkpoint was removed. */
async function refuseOldLog(disk: Disk): Promise<void> {
  if ((await disk.list('bodies')).length > 0 || (await disk.list('tile')).length > 0) {
    throw new NectarError('AUDIT_CHECKPOINT_INVALID', { reason: 'the file is missing, though the log has leaves' });
  }
}

interface ReplayOptions {
  readonly first: number;
  readonly heads: readonly (Checkpoint | (TreeHead & { readonly where: string }))[];
  readonly sealer: Pick<BodySealer, 'open'>;
  /** Leaves that the checkpoint covers. */
  readonly signed: number;
}

async function replayBundles(
  disk: Disk,
  tree: TreeState,
  options: ReplayOptions,
): Promise<{ files: TreeFile[]; bundleLength: number; torn: number }> {
  const { first, heads } = options;
  const files: TreeFile[] = [];
  checkHeads(tree, heads);
  for (let bundle = first; ; bundle++) {
    const bytes = await disk.read(bodyBundlePath(bundle));
    if (bytes === undefined) return { files, bundleLength: 0, torn: 0 };
    const { entries, length, torn } = parseBodyBundle(bytes, bundle);
    for (const entry of entries) {
      const hash = leafHash(entry.leaf);
      if (tree.range.size >= options.signed)
        verifySealed(entry, { index: tree.range.size, leafHash: hash }, options.sealer);
      files.push(...tree.append(entry.leaf, hash));
      checkHeads(tree, heads);
    }
    if (entries.length === TILE_WIDTH && torn === 0) continue;
    if (entries.length === TILE_WIDTH || (await disk.read(bodyBundlePath(bundle + 1))) !== undefined) {
      throw new NectarError('AUDIT_BUNDLE_INVALID', {
        path: bodyBundlePath(bundle),
        reason: 'a file before the last one is not whole',
      });
    }
    return { files, bundleLength: length, torn };
  }
}

/**
 * A leaf that no checkpoint covers yet must come with a body that opens: the seal covers index and leaf. Else whoever can write
 * to the folder of a stopped node could append a leaf, and the node itself would sign it into the tree.
 */
function verifySealed({ sealed }: StoredEntry, place: BodyPlace, sealer: Pick<BodySealer, 'open'>): void {
  if (sealed === undefined)
    throw new NectarError('AUDIT_BODY_INVALID', {
      index: place.index,
      reason: 'it is missing, and no checkpoint covers its leaf',
    });
  sealer.open(place, sealed);
}

function checkHeads(tree: TreeState, heads: ReplayOptions['heads']): void {
  for (const head of heads) {
    if (head.size !== tree.range.size || isSameHash(head.root, tree.root())) continue;
    throw new NectarError('AUDIT_FORKED', { size: head.size, where: 'where' in head ? head.where : 'the checkpoint' });
  }
}

/** The tree of the first `bundles` bundles, from their full tiles: at most 255 a level are read, however long the log is. */
async function readTreeStart(disk: Disk, bundles: number): Promise<TreeStart> {
  const size = bundles * TILE_WIDTH;
  const rows: Uint8Array[][] = [[]];
  for (let level = 1, count = bundles; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    const row: Uint8Array[] = [];
    for (let index = count - (count % TILE_WIDTH); index < count; index++)
      row.push(await readTileRoot(disk, level - 1, index));
    rows.push(row);
  }
  const roots = rangeNodes({ begin: 0, end: size }).map((node) => {
    const place = tileOfNode(node, size);
    return hashInTile(rows[Number(place.tile.level)] ?? [], place.level, place.index);
  });
  return { range: { size, roots }, rows };
}

async function readTileRoot(disk: Disk, level: number, index: number): Promise<Uint8Array> {
  const tile = { level, index, width: TILE_WIDTH };
  const bytes = await disk.read(tilePath(tile));
  if (bytes === undefined)
    throw new NectarError('AUDIT_TILE_INVALID', { path: tilePath(tile), reason: 'it is missing' });
  return hashInTile(parseTile(bytes, tile), TILE_HEIGHT, 0);
}
