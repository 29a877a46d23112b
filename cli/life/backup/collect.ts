import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { atOneKeyList, indexKeyIn, requireIndexKey } from './at-one-key-list.ts';
import { type BlockList, listBlocks } from './block-list.ts';
import type { BackupEntry } from './entry.ts';
import { type PinnedAudit, pinAudit } from './pin-audit.ts';
import { closeAll, pinLevel } from './pin-level.ts';
import { type PinnedFile, pinFile, releasing } from './pinned-file.ts';
import { readSmallFile, readSmallFiles } from './small-files.ts';

/** A home at one moment, ready to be copied for as long as it takes. */
export interface PinnedHome {
  readonly createdAt: string;
  readonly blocks: number;
  entries(): AsyncGenerator<BackupEntry>;
  release(): Promise<void>;
}

export interface PinOptions {
  readonly home: string;
  /** For a list that would not fit into memory; removed at the end. */
  readonly spool: string;
  /** The index is pinned: what the node does from now on is not in it. */
  readonly onIndexPinned?: () => Promise<void>;
  now(): number;
}

/**
 * Pins a home while its node runs, without stopping it for a moment. The order is what makes the parts fit together; it goes against
 * the direction in which the node refers:
 *
 *   1. the index        which names blocks, audit leaves and key-encryption keys. A put makes those durable before the index, so
 *   2. the blocks       everything that the pinned index names is in what is read after it. What is there besides is a block that
 *   3. the audit log    the index does not name yet, which a crash leaves too, and leaves of what came after the index: a restore
 *      and the keys     declares itself, and the first start names their records as lost (store/declared-restore.ts). Log and keys
 *   4. the rest         are of one moment as far as rotations go (at-one-key-list.ts).
 *
 * A record destroyed after step 1 may be in the copy; its ciphertext then may be missing. Left out: the rollup's database, which
 * is derived from L1 again; uploads under way; logs; and what is in clear at rest (small-files.ts).
 */
export async function pinHome({ home, spool, onIndexPinned, now }: PinOptions): Promise<PinnedHome> {
  const createdAt = new Date(now()).toISOString();
  const keyList = () => readSmallFile(join(home, 'keys.json'));
  const indexKey = indexKeyIn(await keyList());
  const index = await pinLevel(join(home, 'store', 'index'), 'store/index');
  const rest: { audit?: PinnedAudit; blocks?: BlockList; small?: BackupEntry[]; anchor: PinnedFile[] } = { anchor: [] };
  try {
    await onIndexPinned?.();
    rest.blocks = await listBlocks(join(home, 'store'), spool);
    await atOneKeyList(keyList, async () => {
      requireIndexKey(indexKey, await keyList());
      rest.audit = await pinAudit(join(home, 'audit'));
      rest.small = await readSmallFiles(home);
    });
    rest.anchor = await pinAnchor(join(home, 'anchor'));
  } catch (error) {
    await closeAll([...index, ...rest.anchor]);
    await rest.blocks?.remove();
    throw error;
  }
  const { audit, blocks, small = [], anchor } = rest;
  return {
    createdAt,
    blocks: blocks.count,
    async *entries() {
      yield* small;
      yield* releasing(index.splice(0));
      if (audit !== undefined) yield* audit.entries();
      yield* releasing(anchor.splice(0));
      yield* blocks.entries();
    },
    async release() {
      await closeAll([...index.splice(0), ...anchor.splice(0)]);
      await blocks.remove();
    },
  };
}

/** Which batch is under way, and the leaves of those anchored: without them nobody proves that a record lies under a root. */
async function pinAnchor(folder: string): Promise<PinnedFile[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files: PinnedFile[] = [];
  for (const name of names.filter((path) => /^(progress\.json|batches\/[0-9a-f]{64}\.leaves)$/.test(path)).sort()) {
    const file = await pinFile(join(folder, name), `anchor/${name}`);
    if (file !== undefined) files.push(file);
  }
  return files;
}
