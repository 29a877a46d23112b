/**
 * Memory that begins at a page: what the disk can take without the kernel's copy of it (O_DIRECT, open(2)). JavaScript knows no
 * addresses, but the memory of WebAssembly lies at a page by construction. Pieces are kept and used again, so they are warm too, and
 * threads of this process see the same memory.
 */
export const PAGE_BYTES = 4096;
/** What a piece holds: a block. */
export const PIECE_BYTES = 1024 * 1024;
const WASM_PAGE_BYTES = 64 * 1024;
const PIECES_AT_ONCE = 8;
/** So much stays with the process; what more is asked for at a time is ordinary memory. */
const MAX_PIECES = 64;

/** What we use of it: its types are not among those of Node. */
interface Wasm {
  readonly WebAssembly: {
    readonly Memory: new (size: {
      readonly initial: number;
      readonly maximum: number;
      readonly shared: true;
    }) => { readonly buffer: SharedArrayBuffer };
  };
}

/** Each buffer of the pool, and those of its pieces that are out. */
const pool = new Map<ArrayBufferLike, Set<number>>();
const free: Uint8Array[] = [];

/**
 * A piece for the caller alone until it gives it back; ordinary memory where there is none. Its bytes are whatever they were.
 * Whoever loses a piece without giving it back takes it from the pool for good: give it back on every way out.
 */
export function takePiece(): Uint8Array {
  const piece = free.pop() ?? grow();
  if (piece === undefined) return Buffer.allocUnsafeSlow(PIECE_BYTES);
  pool.get(piece.buffer)?.add(piece.byteOffset);
  return piece;
}

/** Takes a piece back; false for what is none, or has been given back before. */
export function givePieceBack(bytes: Uint8Array): boolean {
  if (pool.get(bytes.buffer)?.delete(bytes.byteOffset) !== true) return false;
  free.push(Buffer.from(bytes.buffer, bytes.byteOffset, PIECE_BYTES));
  return true;
}

/** Whether the disk can take these bytes as they lie: whole pages, at a page. */
export function isWholePages(bytes: Uint8Array | string): boolean {
  if (typeof bytes === 'string' || bytes.length === 0 || bytes.length % PAGE_BYTES !== 0) return false;
  return bytes.byteOffset % PAGE_BYTES === 0 && pool.has(bytes.buffer);
}

function grow(): Uint8Array | undefined {
  if (pool.size * PIECES_AT_ONCE >= MAX_PIECES) return undefined;
  const pages = (PIECES_AT_ONCE * PIECE_BYTES) / WASM_PAGE_BYTES;
  let buffer: SharedArrayBuffer;
  try {
    ({ buffer } = new (globalThis as unknown as Wasm).WebAssembly.Memory({
      initial: pages,
      maximum: pages,
      shared: true,
    }));
  } catch {
    // No address space for it, or no WebAssembly here.
    return undefined;
  }
  pool.set(buffer, new Set());
  for (let i = 0; i < PIECES_AT_ONCE; i++) free.push(Buffer.from(buffer, i * PIECE_BYTES, PIECE_BYTES));
  return free.pop();
}
