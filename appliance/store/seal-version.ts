import type { RecordId } from '../../protocol/brand.ts';
import { blobAad } from '../../protocol/envelope/aad.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import { diskError, requireFree } from '../durable-file.ts';
import { freeBytes, passedBytes } from '../stream-memory.ts';
import { WholeBody } from '../whole-body.ts';
import type { StagedBlob } from './block-files.ts';
import { garbageOp } from './block-source.ts';
import { type StoreCore, stagingName } from './core.ts';
import { collectGarbage } from './garbage.ts';
import { type SealedBlob, type SealInput, sealStream, sealWhole } from './seal-stream.ts';

/** How often a long upload looks whether the volume still has room. */
const FREE_CHECK_BLOCKS = 32;

export interface VersionToSeal {
  readonly recordId: RecordId;
  readonly version: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** Each ends it with its reason. */
  readonly signals: readonly AbortSignal[];
  readonly maxBytes: number;
}

/** Ciphertext that is durable, and the key that opens it: what the index is still to be told of. */
export interface SealedVersion {
  readonly wrapped: WrappedDek;
  readonly blob: SealedBlob;
}

/**
 * Seals a stream under a new data key, makes its blocks durable under their names (as garbage until the index says otherwise) and runs
 * `commit` under the record's lock. Whatever fails leaves nothing behind but what the next start collects.
 */
export async function sealVersion<T>(
  core: StoreCore,
  of: VersionToSeal,
  commit: (sealed: SealedVersion) => Promise<T>,
): Promise<T> {
  const { recordId, version, body, signals, maxBytes } = of;
  const { folders, options } = core;
  await requireFree(folders.blocks, options.minFreeBytes);
  const { dek, wrapped } = core.deps.keys.newDek({ recordId, version });
  try {
    const secret = { dek, aad: blobAad({ nodeId: options.nodeId, recordId, version }) };
    const input = { secret, maxBytes, inlineMaxBytes: options.inlineMaxBytes };
    for (const signal of signals) signal.throwIfAborted();
    const blob = body instanceof WholeBody ? sealWhole(body, input, core.deps) : undefined;
    if (blob !== undefined) return await core.locks.run(recordId, () => commit({ wrapped, blob }));
    return await sealStaged(core, { ...input, body, signals }, (of) =>
      core.locks.run(recordId, () => commit({ wrapped, blob: of })),
    );
  } catch (error) {
    throw diskError(error, folders.blocks);
  } finally {
    dek.fill(0);
  }
}

/** Seals a stream into blocks that are staged until all of them are there. */
async function sealStaged<T>(
  core: StoreCore,
  input: Omit<SealInput, 'emit'>,
  commit: (blob: SealedBlob) => Promise<T>,
): Promise<T> {
  const { hashes, deps } = core;
  const staged = core.files.stage(stagingName(core));
  try {
    const blob = await sealStream({ ...input, emit: emitter(core, staged) }, { ...deps, hashes });
    await staged.settle();
    for (const signal of input.signals) signal.throwIfAborted();
    return await publish(core, { staged, blob }, () => commit(blob));
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

function emitter(core: StoreCore, staged: StagedBlob): StagedBlob['add'] {
  let blocks = 0;
  return async (cid, block) => {
    try {
      if (blocks++ % FREE_CHECK_BLOCKS === 0) await requireFree(core.folders.blocks, core.options.minFreeBytes);
    } catch (error) {
      freeBytes(block);
      throw error;
    }
    passedBytes(block.length);
    await staged.add(cid, block);
  };
}

async function publish<T>(
  core: StoreCore,
  { staged, blob }: { readonly staged: StagedBlob; readonly blob: SealedBlob },
  commit: () => Promise<T>,
): Promise<T> {
  const inFiles = blob.inline === undefined;
  try {
    if (inFiles) {
      await core.db.commit([garbageOp(core, blob.root)]);
      await staged.publish();
    }
    return await commit();
  } catch (error) {
    // What cannot be collected now is collected by the next start.
    if (inFiles) await collectGarbage(core, blob.root).catch(() => undefined);
    throw error;
  }
}
