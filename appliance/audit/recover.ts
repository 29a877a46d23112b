import { NectarError } from '../../protocol/errors.ts';
import { type Checkpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { isSameHash, leafHash } from '../../protocol/merkle/hash.ts';
import { rangeNodes } from '../../protocol/merkle/prove.ts';
import { hashInTile, parseTile, TILE_HEIGHT, TILE_WIDTH, tileOfNode, tilePath } from '../../protocol/merkle/tile.ts';
import { bodyBundlePath, parseBodyBundle, type StoredEntry } from './body-bundle.ts';
import { type BodySealer, beginsEpoch, placeOf } from './body-seal.ts';
import { bundleOf } from './bundle-file.ts';
import { detailsOf } from './declared-epoch.ts';
import type { Disk } from './disk.ts';
import { type EpochMark, type Epochs, parseMark } from './epochs.ts';
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
  /** The origin of the last checkpoint; undefined for a log that has never been. */
  readonly signedAs: string | undefined;
}

export interface RecoverOptions {
  /** Empty; filled with the epochs that are found. */
  readonly epochs: Epochs;
  /** Opens bodies: behind the checkpoint a seal is all that shows a leaf to be ours. */
  readonly sealer: Pick<BodySealer, 'open'>;
}

const OWN = 'the checkpoint';

/** Path of the checkpoint below the log. */
export const CHECKPOINT_PATH = 'checkpoint';

/**
 * Finds the last durable leaf. Leaves up to the last checkpoint are taken from the tiles, those behind it from the bundles
 * that every append is written to. Throws when what is found is less than, or not, what the checkpoint vouches for.
 */
export async function recoverLog(disk: Disk, { epochs, sealer }: RecoverOptions): Promise<RecoveredLog> {
  const note = await readCheckpoint(disk);
  const checkpoint = note === undefined ? undefined : verifyCheckpoint(note, epochs.key());
  if (checkpoint === undefined) await refuseOldLog(disk);
  else await findEpochs(disk, { epochs, sealer }, checkpoint.origin);
  const first = Math.floor((checkpoint?.size ?? 0) / TILE_WIDTH);
  const tree = createTreeState(await readTreeStart(disk, first));
  const replayed = await replayBundles(disk, tree, { first, checkpoint, epochs, sealer });
  if (checkpoint !== undefined && checkpoint.size > tree.range.size)
    throw new NectarError('AUDIT_TRUNCATED', { size: tree.range.size, expected: checkpoint.size, where: OWN });
  return { tree, ...replayed, signedAs: checkpoint?.origin };
}

/**
 * Finds the epochs of a log from the newest backwards: the checkpoint's origin names where it begins, and the leaf there names
 * the one before it. Sealed by the log itself, as every other body.
 */
async function findEpochs(disk: Disk, { epochs, sealer }: RecoverOptions, newest: string): Promise<void> {
  const found: EpochMark[] = [];
  for (let mark = parseMark(newest, epochs.base); mark !== undefined; ) {
    found.unshift(mark);
    const { previous } = await readEpochLeaf(disk, mark, sealer);
    const before = parseMark(previous, epochs.base);
    if (before !== undefined && (before.start >= mark.start || before.number >= mark.number))
      throw new NectarError('AUDIT_BODY_INVALID', {
        index: mark.start,
        reason: 'the epoch before it is not an earlier one',
      });
    mark = before;
  }
  for (const mark of found) epochs.begin(mark);
}

async function readEpochLeaf(
  disk: Disk,
  { start }: EpochMark,
  sealer: Pick<BodySealer, 'open'>,
): Promise<{ origin: string; previous: string }> {
  const path = bodyBundlePath(bundleOf(start));
  const bytes = await disk.read(path);
  const entry = bytes === undefined ? undefined : parseBodyBundle(bytes, bundleOf(start)).entries[start % TILE_WIDTH];
  if (entry === undefined)
    throw new NectarError('AUDIT_BUNDLE_INVALID', { path, reason: 'the leaf of an epoch is missing' });
  return openEpochLeaf(entry, start, sealer);
}

/** What the leaf of an epoch says of its name. Throws AUDIT_BODY_INVALID. */
function openEpochLeaf(
  { leaf, sealed }: StoredEntry,
  index: number,
  sealer: Pick<BodySealer, 'open'>,
): { origin: string; previous: string } {
  const open = sealed === undefined ? undefined : sealer.open(placeOf(index, leaf), sealed);
  const detail = detailsOf(open === undefined ? undefined : JSON.parse(Buffer.from(open.body).toString('utf8')));
  const [origin, previous] = [detail.get('origin'), detail.get('previous')];
  if (origin !== undefined && previous !== undefined && beginsEpoch(leaf)) return { origin, previous };
  throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it does not declare an epoch' });
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
  readonly checkpoint: Checkpoint | undefined;
  readonly epochs: Epochs;
  readonly sealer: Pick<BodySealer, 'open'>;
}

async function replayBundles(
  disk: Disk,
  tree: TreeState,
  options: ReplayOptions,
): Promise<{ files: TreeFile[]; bundleLength: number; torn: number }> {
  const { first, checkpoint } = options;
  const files: TreeFile[] = [];
  checkRoot(tree, checkpoint);
  for (let bundle = first; ; bundle++) {
    const bytes = await disk.read(bodyBundlePath(bundle));
    if (bytes === undefined) return { files, bundleLength: 0, torn: 0 };
    const { entries, length, torn } = parseBodyBundle(bytes, bundle);
    for (const entry of entries) {
      if (tree.range.size >= (checkpoint?.size ?? 0)) takeUnsigned(entry, tree.range.size, options);
      files.push(...tree.append(entry.leaf, leafHash(entry.leaf)));
      checkRoot(tree, checkpoint);
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
 * to the folder of a stopped node could append a leaf, and the node itself would sign it into the tree. A crash right after the
 * leaf of an epoch left that epoch begun, and not yet signed.
 */
function takeUnsigned(entry: StoredEntry, index: number, { epochs, sealer }: ReplayOptions): void {
  if (entry.sealed === undefined)
    throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it is missing, and no checkpoint covers its leaf' });
  if (!beginsEpoch(entry.leaf)) {
    sealer.open(placeOf(index, entry.leaf), entry.sealed);
    return;
  }
  const mark = parseMark(openEpochLeaf(entry, index, sealer).origin, epochs.base);
  if (mark?.start !== index)
    throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it declares an epoch that begins elsewhere' });
  epochs.begin(mark);
}

function checkRoot(tree: TreeState, checkpoint: Checkpoint | undefined): void {
  if (checkpoint?.size !== tree.range.size || isSameHash(checkpoint.root, tree.root())) return;
  throw new NectarError('AUDIT_FORKED', { size: checkpoint.size, where: OWN });
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
