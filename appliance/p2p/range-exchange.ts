import { MAX_GOSSIP_BLOCK_BYTES } from '../../protocol/network/frame.ts';
import {
  encodeRangeRequest,
  MAX_RANGE_BLOCKS,
  MAX_RANGE_BYTES,
  parseRangeRequest,
  RANGE_REQUEST_BYTES,
} from '../../protocol/network/unsafe-range.ts';
import type { FrameStream } from './frame-stream.ts';
import type { UnsafeBlocks } from './needs.ts';

/** Asks for the blocks from `from` on; resolves with what the peer has and one answer carries. */
export async function askRange(frames: FrameStream, from: bigint): Promise<Uint8Array[]> {
  try {
    await frames.write(encodeRangeRequest({ from, limit: MAX_RANGE_BLOCKS }));
    const blocks: Uint8Array[] = [];
    let room = MAX_RANGE_BYTES;
    while (blocks.length < MAX_RANGE_BLOCKS) {
      const block = await frames.read(Math.min(MAX_GOSSIP_BLOCK_BYTES, room));
      if (block.length === 0) break;
      blocks.push(block);
      room -= block.length;
    }
    await frames.close();
    return blocks;
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}

/** Answers one range request. */
export async function serveRange(frames: FrameStream, unsafe: UnsafeBlocks): Promise<void> {
  try {
    const { from, limit } = parseRangeRequest(await frames.read(RANGE_REQUEST_BYTES));
    for (const block of fitting(await unsafe.range(from, limit), limit)) await frames.write(block);
    await frames.write(new Uint8Array(0));
    await frames.close();
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}

/** As many of the blocks as one answer carries: MAX_RANGE_BYTES in all, and an empty frame would end it early. */
function fitting(blocks: readonly Uint8Array[], limit: number): Uint8Array[] {
  const taken: Uint8Array[] = [];
  let room = MAX_RANGE_BYTES;
  for (const block of blocks.slice(0, limit)) {
    if (block.length === 0 || block.length > Math.min(room, MAX_GOSSIP_BLOCK_BYTES)) break;
    taken.push(block);
    room -= block.length;
  }
  return taken;
}
