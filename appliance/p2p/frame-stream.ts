import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { NectarError } from '../../protocol/errors.ts';
import { encodeFrameHeader, FRAME_HEADER_BYTES, parseFrameHeader } from '../../protocol/network/frame.ts';

/** Written at a time, so that a slow reader pushes back before much lies in memory. */
const PIECE_BYTES = 64 * 1024;

export interface FrameStreamOptions {
  /** In this time one frame must have come or gone: a peer that dribbles holds no stream. */
  readonly timeoutMs: number;
  /** In this time the stream must be done, however well its frames keep theirs. */
  readonly maxOpenMs: number;
  /** Bytes that may have come and not been read yet; one more resets the stream. */
  readonly maxBufferedBytes: number;
  readonly signal: AbortSignal;
  readonly onBytes: (direction: 'in' | 'out', bytes: number) => void;
}

/** Length-prefixed frames on a libp2p stream, bounded in size, memory and time. */
export class FrameStream {
  readonly #stream: Stream;
  readonly #options: FrameStreamOptions;
  readonly #chunks: Uint8Array[] = [];
  readonly #deadline: NodeJS.Timeout;
  #buffered = 0;
  #ended: string | undefined;
  #arrival = Promise.withResolvers<void>();

  constructor(stream: Stream, options: FrameStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.addEventListener('message', (event) => this.#receive(event));
    stream.addEventListener('remoteCloseWrite', () => this.#end('the peer closed it'));
    stream.addEventListener('close', (event) => this.#close(event));
    this.#deadline = setTimeout(() => this.reset(new Error('stream open too long')), options.maxOpenMs).unref();
  }

  /**
   * The next frame, at most `maxBytes` long. Throws NETWORK_FRAME_OVERSIZE before taking an oversized one, and
   * NETWORK_STREAM_ENDED when the peer closes or is too slow; after a throw the stream is reset.
   */
  async read(maxBytes: number): Promise<Uint8Array> {
    return await this.#inTime(async (signal) => {
      await this.#arrived(FRAME_HEADER_BYTES, signal);
      const length = parseFrameHeader(this.#take(FRAME_HEADER_BYTES), maxBytes);
      await this.#arrived(length, signal);
      return this.#take(length);
    });
  }

  /** Resolves when the peer's window took the frame. */
  async write(frame: Uint8Array): Promise<void> {
    await this.#inTime(async (signal) => {
      await this.#send(encodeFrameHeader(frame.length), signal);
      for (let offset = 0; offset < frame.length; offset += PIECE_BYTES) {
        await this.#send(frame.subarray(offset, offset + PIECE_BYTES), signal);
      }
    });
  }

  /** Closes after what was written; never throws, and never waits longer than the frame timeout. */
  async close(): Promise<void> {
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(this.#options.timeoutMs) });
    } catch (error) {
      this.reset(error);
    }
  }

  reset(cause: unknown): void {
    this.#stream.abort(cause instanceof Error ? cause : new Error('stream reset'));
  }

  async #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.#options.timeoutMs).unref();
    try {
      return await work(AbortSignal.any([this.#options.signal, timeout.signal]));
    } catch (cause) {
      this.reset(cause);
      if (cause instanceof NectarError) throw cause;
      const problem = timeout.signal.aborted ? 'the peer was too slow' : 'it was cut';
      throw new NectarError('NETWORK_STREAM_ENDED', { problem }, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#options.onBytes('out', bytes.length);
    if (!this.#stream.send(bytes)) await this.#stream.onDrain({ signal });
  }

  async #arrived(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#buffered < bytes) {
      signal.throwIfAborted();
      if (this.#ended !== undefined) throw new NectarError('NETWORK_STREAM_ENDED', { problem: this.#ended });
      await aborted(this.#arrival.promise, signal);
    }
  }

  #take(bytes: number): Uint8Array {
    const taken = new Uint8Array(bytes);
    let filled = 0;
    while (filled < bytes) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(0, bytes - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#buffered -= bytes;
    return taken;
  }

  #receive(event: StreamMessageEvent): void {
    const bytes = event.data.subarray();
    this.#options.onBytes('in', bytes.length);
    if (this.#buffered + bytes.length > this.#options.maxBufferedBytes) {
      this.#end('the peer sent more than was asked for');
      this.reset(new Error('stream buffer full'));
      return;
    }
    this.#chunks.push(bytes);
    this.#buffered += bytes.length;
    this.#wake();
  }

  #close(event: StreamCloseEvent): void {
    clearTimeout(this.#deadline);
    this.#end(event.error === undefined ? 'it is closed' : 'it was reset');
  }

  #end(problem: string): void {
    this.#ended ??= problem;
    this.#wake();
  }

  #wake(): void {
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
  }
}

/** Waits for the promise, or throws the signal's reason. */
async function aborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const abort = Promise.withResolvers<never>();
  const onAbort = (): void => abort.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, abort.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
