import { NectarError } from '../errors.ts';

/** Every frame of a stream protocol is a length (4 bytes, big-endian) and so many bytes. */
export const FRAME_HEADER_BYTES = 4;

/** Largest block that is exchanged: the 2 MiB that every IPFS implementation takes, above our own chunks of 1 MiB. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

/**
 * Largest encoded unsafe block that gossip or a range carries. The sequencer keeps its blocks far below (a block fits one
 * batch transaction); what a stranger sequencer made larger comes from L1 alone.
 */
export const MAX_GOSSIP_BLOCK_BYTES = 1024 * 1024;

/** Encodes the header of a frame of `length` bytes. */
export function encodeFrameHeader(length: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, length);
  return header;
}

/**
 * Length in bytes that a frame header announces. Throws NETWORK_FRAME_OVERSIZE above `maxBytes`: size comes first, a peer
 * that announces 4 GiB gets nothing allocated.
 */
export function parseFrameHeader(header: Uint8Array, maxBytes: number): number {
  const bytes = new DataView(header.buffer, header.byteOffset, FRAME_HEADER_BYTES).getUint32(0);
  if (bytes > maxBytes) throw new NectarError('NETWORK_FRAME_OVERSIZE', { bytes, maxBytes });
  return bytes;
}
