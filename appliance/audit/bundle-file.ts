import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { bodyBundlePath } from './body-bundle.ts';
import { type AppendFile, type Disk, writeError } from './disk.ts';

/** The end of the log's write-ahead file: the bundle that takes the next leaf. */
export interface BundleFile {
  /** Makes a group durable behind the others of its bundle; throws NODE_DISK_FULL or AUDIT_NOT_WRITABLE. */
  write(group: Uint8Array, bundle: number): Promise<void>;
  close(): Promise<void>;
}

/** @param durable the bundle that takes the next leaf, and its durable bytes as recovered */
export function createBundleFile(disk: Disk, durable: { bundle: number; length: number }): BundleFile {
  let { bundle: current, length } = durable;
  let open: AppendFile | undefined;

  async function close(): Promise<void> {
    await open?.close().catch(() => undefined);
    open = undefined;
  }

  return {
    close,
    async write(group, bundle) {
      if (bundle !== current) {
        await close();
        [current, length] = [bundle, 0];
      }
      const path = bodyBundlePath(bundle);
      try {
        open ??= await disk.openAppend(path, length);
        await open.write(group, length);
        length += group.length;
      } catch (error) {
        // What a failed write or fsync left on disk is unknown: the next one opens the file anew and cuts it off first.
        await close();
        throw writeError(error, path);
      }
    },
  };
}

/** The bundle that holds, or will hold, a leaf. */
export function bundleOf(index: number): number {
  return Math.floor(index / TILE_WIDTH);
}
