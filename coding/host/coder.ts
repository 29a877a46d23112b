import { type WasmMemory, type WasmModule, WebAssembly } from '../../machine/host/web-assembly.ts';
import { HASH_BYTES, LEAF_BYTES, PIECE_BYTES } from '../../protocol/coding/shard-tree.ts';
import { NectarError } from '../../protocol/errors.ts';

/** What the compiled coding exports; coding/README.md has each call. */
interface CodingExports {
  readonly memory: WasmMemory;
  abi_version(): number;
  allocate(length: number): number;
  release(at: number, length: number): void;
  prepare(k: number, slots: number, n: number): number;
  run(at: number, length: number): number;
  pieces(at: number, length: number, out: number): number;
}

/** Shards of one segment, all of the same length, a multiple of LEAF_BYTES. */
export interface ShardFill {
  /** Any k shards give back all of them; 0 to k - 1 are the data. */
  readonly k: number;
  /** A place for each of the n shards; undefined where there is none. */
  readonly shards: readonly (Uint8Array | undefined)[];
  /** Which of them are to be made from k of the others. Their bytes are written; none else are. */
  readonly wanted: readonly number[];
}

export interface Coder {
  /**
   * Encodes (wanted: those from k on) or rebuilds (wanted: the lost ones).
   * @throws CODING_INPUT_INVALID, CODING_SHARDS_TOO_FEW
   */
  fill(fill: ShardFill): void;
  /** The hash of each piece of a shard (protocol/coding/shard-tree.ts), one after the other. @throws CODING_INPUT_INVALID */
  pieceHashes(shard: Uint8Array): Uint8Array;
}

const ABI_VERSION = 1;
/** Of each shard at a time: what all of them have here together stays in the processor's cache, and memory is bounded. */
const STRIPE_BYTES = 16 * 1024;
const PIECES_AT_A_TIME = 64;
const MAX_DATA = 32;
const MAX_SHARDS = 255;
const SLOT = { absent: 0, present: 1, wanted: 2 } as const;

/** Makes one instance: it codes one segment at a time. @throws CODING_FILE_INVALID when it speaks another ABI */
export function createCoder(module: WasmModule): Coder {
  const exports = new WebAssembly.Instance(module, {}).exports as CodingExports;
  const version = exports.abi_version();
  if (version !== ABI_VERSION)
    throw new NectarError('CODING_FILE_INVALID', { reason: `it speaks version ${version} of its interface` });
  return {
    fill: (fill) => fillShards(exports, fill),
    pieceHashes: (shard) => hashPieces(exports, shard),
  };
}

function withRoom<T>(exports: CodingExports, length: number, work: (at: number) => T): T {
  const at = exports.allocate(length);
  try {
    return work(at);
  } finally {
    exports.release(at, length);
  }
}

/** Memory may have grown since the last call: a view is taken anew. */
function view({ memory }: CodingExports, at: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, at, length);
}

function invalid(field: string, problem: string): NectarError {
  return new NectarError('CODING_INPUT_INVALID', { field, problem });
}

function shardBytesOf({ k, shards, wanted }: ShardFill): number {
  const n = shards.length;
  if (!Number.isInteger(k) || k < 1 || k > MAX_DATA) throw invalid('k', `not from 1 to ${MAX_DATA}`);
  if (n <= k || n > MAX_SHARDS) throw invalid('n', `not from k + 1 to ${MAX_SHARDS}`);
  for (const index of wanted) {
    if (shards[index] === undefined) throw invalid('wanted', `shard ${index} has no place to be written to`);
  }
  const present = shards.filter((shard, index) => shard !== undefined && !wanted.includes(index)).length;
  if (present < k) throw new NectarError('CODING_SHARDS_TOO_FEW', { needed: k, present });
  const lengths = new Set(shards.flatMap((shard) => (shard === undefined ? [] : [shard.length])));
  const [length = 0] = lengths;
  if (lengths.size !== 1) throw invalid('shards', 'they have several lengths');
  if (length === 0 || length % LEAF_BYTES !== 0) throw invalid('shards', `${length} bytes are no whole leaves`);
  return length;
}

function fillShards(exports: CodingExports, fill: ShardFill): void {
  const shardBytes = shardBytesOf(fill);
  const { k, shards, wanted } = fill;
  const n = shards.length;
  const slots = shards.map((shard, index) => {
    if (wanted.includes(index)) return SLOT.wanted;
    return shard === undefined ? SLOT.absent : SLOT.present;
  });
  withRoom(exports, n, (at) => {
    view(exports, at, n).set(slots);
    if (exports.prepare(k, at, n) !== 0) throw invalid('shards', 'these numbers cannot be coded');
  });
  withRoom(exports, n * STRIPE_BYTES, (at) => {
    for (let start = 0; start < shardBytes; start += STRIPE_BYTES) {
      runStripe(exports, fill, { at, start, length: Math.min(STRIPE_BYTES, shardBytes - start) });
    }
  });
}

function runStripe(
  exports: CodingExports,
  { k, shards, wanted }: ShardFill,
  { at, start, length }: Readonly<Record<'at' | 'start' | 'length', number>>,
): void {
  const stripe = view(exports, at, shards.length * length);
  let read = 0;
  for (const [index, shard] of shards.entries()) {
    // The coding takes the first k that are present.
    if (shard === undefined || wanted.includes(index) || read === k) continue;
    stripe.set(shard.subarray(start, start + length), index * length);
    read++;
  }
  if (exports.run(at, length) !== 0) throw invalid('shards', 'a stripe cannot be coded');
  const done = view(exports, at, shards.length * length);
  for (const index of wanted) shards[index]?.set(done.subarray(index * length, (index + 1) * length), start);
}

function hashPieces(exports: CodingExports, shard: Uint8Array): Uint8Array {
  if (shard.length === 0 || shard.length % LEAF_BYTES !== 0)
    throw invalid('shard', `${shard.length} bytes are no whole leaves`);
  const hashes = new Uint8Array(Math.ceil(shard.length / PIECE_BYTES) * HASH_BYTES);
  const batch = PIECES_AT_A_TIME * PIECE_BYTES;
  const outBytes = PIECES_AT_A_TIME * HASH_BYTES;
  withRoom(exports, batch + outBytes, (at) => {
    for (let start = 0, out = 0; start < shard.length; start += batch, out += outBytes) {
      const part = shard.subarray(start, start + batch);
      view(exports, at, part.length).set(part);
      if (exports.pieces(at, part.length, at + batch) !== 0) throw invalid('shard', 'it cannot be hashed');
      hashes.set(view(exports, at + batch, Math.ceil(part.length / PIECE_BYTES) * HASH_BYTES), out);
    }
  });
  return hashes;
}
