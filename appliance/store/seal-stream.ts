import { randomBytes as nodeRandom } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import type { Cid } from '../../protocol/brand.ts';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { encodeHeader, NONCE_PREFIX_BYTES, SALT_BYTES } from '../../protocol/envelope/format.ts';
import { createSealer } from '../../protocol/envelope/stream.ts';
import { NectarError } from '../../protocol/errors.ts';
import { PIECE_BYTES, takePiece } from '../page-memory.ts';
import { freeBytes } from '../stream-memory.ts';
import type { WholeBody } from '../whole-body.ts';
import { cidText, rawCidOf, rawCidText, sha256 } from './cid.ts';
import { createDagBuilder } from './dag.ts';
import type { HashThread } from './hash-thread.ts';

/** Small records take a small buffer; it grows to a segment. */
const FIRST_BUFFER_BYTES = 16 * 1024;
/** Wiped first buffers kept for the uploads to come: memory outside V8's heap makes its collector mark all of the heap. */
const MAX_SPARE_BUFFERS = 64;
/** Blocks that are hashed while the next one comes. */
const MAX_HASHING = 2;

export interface SealInput {
  readonly body: AsyncIterable<Uint8Array>;
  readonly secret: { readonly dek: Uint8Array; readonly aad: Uint8Array };
  readonly maxBytes: number;
  readonly inlineMaxBytes: number;
  /** Each ends the upload with its reason. */
  readonly signals: readonly AbortSignal[];
  /** Receives every block of a blob that is not inline, and frees it (stream-memory.ts) whatever becomes of it. */
  readonly emit: (cid: Cid, block: Uint8Array) => Promise<void>;
}

export interface SealedBlob {
  readonly root: Cid;
  /** Of plaintext. */
  readonly bytes: number;
  readonly header: Uint8Array;
  /** The only block of a small blob; undefined when the blocks were emitted. */
  readonly inline: Uint8Array | undefined;
}

/** Seals a stream into blocks as it arrives: one segment is one block. Memory: one segment, and what `emit` keeps. */
export async function sealStream(
  input: SealInput,
  deps: {
    readonly crypto: EnvelopeCrypto;
    readonly hashes: Pick<HashThread, 'sha256'>;
    readonly randomBytes?: (length: number) => Uint8Array;
  },
): Promise<SealedBlob> {
  const random = deps.randomBytes ?? nodeRandom;
  const header = { salt: random(SALT_BYTES), noncePrefix: random(NONCE_PREFIX_BYTES) };
  const sealer = createSealer(deps.crypto, input.secret, header);
  const dag = createDagBuilder((cid, block) => input.emit(cidText(cid), block));
  let buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  let filled = 0;
  let bytes = 0;
  let onlyBlock: { cid: CID; block: Uint8Array } | undefined;

  /** Sealed blocks whose digests are on their way, in their order. */
  const hashing: { readonly block: Uint8Array; readonly digest: Uint8Array | Promise<Uint8Array> }[] = [];

  async function endSegment(last: boolean): Promise<void> {
    const plaintext = buffer.subarray(0, filled);
    const room = sealer.sealedBytes(filled) === PIECE_BYTES ? takePiece() : undefined;
    const block = sealer.seal(plaintext, last, room);
    hashing.push({ block, digest: deps.hashes.sha256(block) });
    const inline = last && bytes === filled && block.length <= input.inlineMaxBytes;
    filled = 0;
    while (hashing.length > (last ? 0 : MAX_HASHING)) await placeBlock(inline);
  }

  async function placeBlock(inline: boolean): Promise<void> {
    const [next] = hashing;
    if (next === undefined) return;
    const { block, digest } = next;
    const cid = rawCidOf(digest instanceof Promise ? await digest : digest);
    hashing.shift();
    if (inline) onlyBlock = { cid, block };
    else await input.emit(cidText(cid), block);
    await dag.leaf(cid, block.length);
  }

  try {
    for await (const chunk of untilAborted(input.body, input.signals)) {
      bytes += chunk.length;
      if (bytes > input.maxBytes) throw new NectarError('STORE_RECORD_TOO_LARGE', { limitBytes: input.maxBytes });
      for (let offset = 0; offset < chunk.length; ) {
        if (filled === sealer.capacity()) await endSegment(false);
        const take = Math.min(chunk.length - offset, sealer.capacity() - filled);
        buffer = roomFor(buffer, filled, filled + take, sealer.capacity());
        buffer.set(chunk.subarray(offset, offset + take), filled);
        filled += take;
        offset += take;
      }
    }
    await endSegment(true);
  } finally {
    wipe(buffer);
    // Another thread may still read one of these: its digest is nobody's any more.
    for (const { block } of hashing) freeBytes(block);
  }
  const root = cidText(await dag.end());
  return { root, bytes, header: encodeHeader(header), inline: onlyBlock?.block };
}

/**
 * Seals a body that is here as a blob of one block, at once: what sealStream makes of it. Undefined when it is more than that.
 *
 * @throws NectarError STORE_RECORD_TOO_LARGE
 */
export function sealWhole(
  body: WholeBody,
  { secret, maxBytes, inlineMaxBytes }: Pick<SealInput, 'secret' | 'maxBytes' | 'inlineMaxBytes'>,
  { crypto, randomBytes }: { readonly crypto: EnvelopeCrypto; readonly randomBytes: (length: number) => Uint8Array },
): SealedBlob | undefined {
  if (body.length > maxBytes) throw new NectarError('STORE_RECORD_TOO_LARGE', { limitBytes: maxBytes });
  const header = { salt: randomBytes(SALT_BYTES), noncePrefix: randomBytes(NONCE_PREFIX_BYTES) };
  const sealer = createSealer(crypto, secret, header);
  if (body.length > sealer.capacity() || sealer.sealedBytes(body.length) > inlineMaxBytes) return undefined;
  const [only] = body.chunks;
  const joined = body.chunks.length === 1 && only !== undefined ? undefined : Buffer.concat(body.chunks);
  const inline = sealer.seal(joined ?? only ?? new Uint8Array(0), true);
  joined?.fill(0);
  return { root: rawCidText(sha256(inline)), bytes: body.length, header: encodeHeader(header), inline };
}

function roomFor(buffer: Buffer<ArrayBuffer>, filled: number, needed: number, capacity: number): Buffer<ArrayBuffer> {
  if (needed <= buffer.length) return buffer;
  const grown = Buffer.allocUnsafeSlow(needed <= capacity / 4 ? needed * 2 : capacity);
  buffer.copy(grown, 0, 0, filled);
  wipe(buffer);
  return grown;
}

const spareBuffers: Buffer<ArrayBuffer>[] = [];

/** Nobody may use it afterwards. */
function wipe(buffer: Buffer<ArrayBuffer>): void {
  buffer.fill(0);
  if (buffer.length === FIRST_BUFFER_BYTES && spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(buffer);
}

/** Ends with a signal's reason even when the source hangs: a client that stopped sending must not hold the upload open. */
export async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  signals: readonly AbortSignal[],
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  // One listener that rejects whichever step waits: a race with one long-lived promise would keep every chunk alive.
  let interrupt: ((reason: unknown) => void) | undefined;
  const abort = ({ target }: Event): void => interrupt?.((target as AbortSignal).reason);
  const step = (): Promise<IteratorResult<Uint8Array>> =>
    new Promise((resolve, reject) => {
      interrupt = reject;
      iterator.next().then(resolve, reject);
    });
  // Listeners of our own instead of AbortSignal.any, which costs every small put two weak references.
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  let ended = false;
  try {
    for (;;) {
      for (const signal of signals) signal.throwIfAborted();
      const { done, value } = await step();
      if (done === true) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
    // Not awaited: a source that hangs in next() would hang here as well.
    if (!ended) iterator.return?.()?.catch(() => undefined);
  }
}
