import type { Cid } from '../../protocol/brand.ts';
import { blobAad } from '../../protocol/envelope/aad.ts';
import { type SegmentSlice, segmentCount, segmentSlices } from '../../protocol/envelope/format.ts';
import { createOpener, type SegmentOpener } from '../../protocol/envelope/stream.ts';
import { NectarError } from '../../protocol/errors.ts';
import { freeBytes, passedBytes } from '../stream-memory.ts';
import { type BlockSource, type BlockSourceOptions, createBlockSource } from './block-source.ts';
import { isBlockOf } from './cid.ts';
import type { StoreCore } from './core.ts';
import { createLeafFinder } from './dag-walk.ts';
import { wrappedDek } from './entries.ts';

/** Blocks read ahead of the one being opened. */
const READ_AHEAD = 2;

interface Ahead {
  readonly slice: SegmentSlice;
  readonly cid: Cid;
  readonly block: Promise<Uint8Array>;
}

/** The plaintext bytes [start, end) of a version, segment by segment, each authenticated before it is handed out, and its reader's to free. */
export async function* readBlob(
  core: StoreCore,
  options: BlockSourceOptions & { readonly start: number; readonly end: number },
): AsyncGenerator<Uint8Array> {
  const { entry, start, end, signal } = options;
  const source = createBlockSource(core, options);
  const opener = openerFor(core, options);
  const leafOf = createLeafFinder({ root: entry.root, leaves: segmentCount(entry.bytes) }, (cid) =>
    source.loadChecked(cid),
  );
  const slices = segmentSlices(entry.bytes, start, end);
  const ahead: Ahead[] = [];
  try {
    for (;;) {
      while (ahead.length <= READ_AHEAD) {
        const { done, value: slice } = slices.next();
        if (done === true) break;
        const cid = await leafOf(slice.segment);
        const block = source.loadLeaf(cid);
        block.catch(() => undefined);
        ahead.push({ slice, cid, block });
      }
      const next = ahead.shift();
      if (next === undefined) return;
      const plaintext = await openLeaf(opener, source, next);
      signal.throwIfAborted();
      const { from, to } = next.slice;
      const isWhole = from === 0 && to === plaintext.length;
      // A part of it is nobody's to free; what is whole is its reader's.
      if (!isWhole) passedBytes(plaintext.length);
      yield isWhole ? plaintext : plaintext.subarray(from, to);
    }
  } finally {
    for (const { block } of ahead) block.then(freeBytes, () => undefined);
  }
}

async function openLeaf(opener: SegmentOpener, source: BlockSource, leaf: Ahead): Promise<Uint8Array> {
  const { slice, cid } = leaf;
  const block = await leaf.block;
  const plaintext = opener.open(block, slice.segment, slice.last);
  const isTrue = plaintext !== undefined || isBlockOf(cid, block);
  freeBytes(block);
  if (plaintext !== undefined) return plaintext;
  // The block is what was written and still does not open: no copy of it anywhere would.
  if (isTrue) throw new NectarError('STORE_BLOB_CORRUPT', { cid });
  const restored = opener.open(await source.restore(cid, 'corrupt'), slice.segment, slice.last);
  if (restored === undefined) throw new NectarError('STORE_BLOB_CORRUPT', { cid });
  return restored;
}

function openerFor(core: StoreCore, options: BlockSourceOptions): SegmentOpener {
  const { entry } = options;
  const { recordId, version } = entry;
  const dek = core.deps.keys.unwrapDek(wrappedDek(entry), { recordId, version });
  const aad = blobAad({ nodeId: core.options.nodeId, recordId, version });
  const opener = createOpener(core.deps.crypto, { dek, aad }, Buffer.from(entry.header, 'base64'));
  dek.fill(0);
  if (opener === undefined) throw new NectarError('STORE_BLOB_CORRUPT', { cid: entry.root });
  return opener;
}
