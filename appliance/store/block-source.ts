import type { Cid } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { isBlockOf } from './cid.ts';
import { type StoreCore, stagingName } from './core.ts';
import { encodeEntry, type VersionEntry } from './entries.ts';
import { holdersToAsk } from './holders.ts';
import { KIND } from './index-keys.ts';
import type { AccessContext } from './needs.ts';

/** Blocks of one blob: from disk, and from whoever holds a replica when the disk has none or a bad one. */
export interface BlockSource {
  /** As stored, unchecked, the caller's to free: for leaves, which their segment authenticates. Missing ones are restored. */
  loadLeaf(cid: Cid): Promise<Uint8Array>;
  /** Checked against the CID; restored when it does not match. */
  loadChecked(cid: Cid): Promise<Uint8Array>;
  /** Fetches a good copy and puts it in the place of a bad one. STORE_BLOB_CORRUPT when there is none. */
  restore(cid: Cid, bad: 'missing' | 'corrupt'): Promise<Uint8Array>;
}

export interface BlockSourceOptions {
  readonly entry: VersionEntry;
  readonly context: AccessContext;
  readonly signal: AbortSignal;
  readonly onRestored?: () => void;
}

export function createBlockSource(core: StoreCore, options: BlockSourceOptions): BlockSource {
  const { entry, context, signal } = options;

  async function restore(cid: Cid, bad: 'missing' | 'corrupt'): Promise<Uint8Array> {
    const replica = await core.deps.replicas
      ?.fetch(entry.root, cid, holdersToAsk(core, entry), signal)
      .catch(() => undefined);
    signal.throwIfAborted();
    const block = replica ?? (await core.sharding.recover(entry.root, cid, signal));
    // A peer's block is hostile until its hash is right.
    if (block === undefined || !isBlockOf(cid, block)) {
      throw new NectarError(bad === 'missing' ? 'STORE_BLOCK_MISSING' : 'STORE_BLOB_CORRUPT', { cid });
    }
    if (entry.inline)
      await core.db.commit([{ type: 'put', key: core.keys.ofCid(KIND.inlineBlock, cid), value: block }]);
    else await core.files.restore(cid, block, stagingName(core));
    const { recordId, version } = entry;
    await core.deps.audit.append({
      type: 'record.restore',
      outcome: 'success',
      context,
      recordId,
      version,
      detail: { cid },
    });
    core.metrics.restoredBlocks.inc();
    options.onRestored?.();
    return block;
  }

  async function load(cid: Cid, as: 'leaf' | 'any'): Promise<Uint8Array> {
    signal.throwIfAborted();
    return (await findStored(core, entry, cid, as)) ?? restore(cid, 'missing');
  }

  return {
    loadLeaf: (cid) => load(cid, 'leaf'),
    restore,
    async loadChecked(cid) {
      const block = await load(cid, 'any');
      return isBlockOf(cid, block) ? block : restore(cid, 'corrupt');
    },
  };
}

/** An inline block whose index value does not open counts as missing, and comes back like one. */
async function findStored(
  core: StoreCore,
  entry: VersionEntry,
  cid: Cid,
  as: 'leaf' | 'any',
): Promise<Uint8Array | undefined> {
  if (!entry.inline) return as === 'leaf' ? core.files.readLeaf(cid) : core.files.read(cid);
  return core.db.get(core.keys.ofCid(KIND.inlineBlock, cid)).catch((error: unknown) => {
    if (isNectarError(error, 'STORE_INDEX_CORRUPT') && core.deps.replicas !== undefined) return undefined;
    throw error;
  });
}

export function garbageOp(core: StoreCore, root: Cid): { type: 'put'; key: Uint8Array; value: Uint8Array } {
  return { type: 'put', key: core.keys.ofCid(KIND.garbage, root), value: encodeEntry({ root }) };
}
