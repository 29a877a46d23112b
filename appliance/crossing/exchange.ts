import { createConnection, type Socket } from 'node:net';
import { createFrameParser, type Frame, FrameError } from './frames.ts';
import { passedBytes } from './young-collector.ts';

/** Bytes are read into this one buffer and copied to where they stay: no garbage, however long the stream. */
const READ_BUFFER_BYTES = 256 * 1024;
/** Buffers of calls that have ended, for the next ones: fresh pages would cost a short call more than all else. */
const MAX_SPARE_BUFFERS = 32;
const spare: Buffer[] = [];
/** Frames that wait for the consumer hold the sender back from here on. */
const READ_AHEAD_BYTES = 2 * 1024 * 1024;
const MAX_HEAD_BYTES = 8 * 1024;
const CRLF = Buffer.from('\r\n');

export interface ExchangeOptions {
  readonly path: string;
  /** Request line's target. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxPayloadBytes: number;
  readonly signal: AbortSignal | undefined;
}

export interface AnswerHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * One streamed call, HTTP/1.1 over a connection of its own. Written by hand because a general client allocates, copies and
 * parses each of the 64 KiB that a socket hands out: at a gigabyte a second that, not the cryptography, was the cost.
 */
export class Exchange {
  readonly #socket: Socket;
  readonly #options: ExchangeOptions;
  readonly #frames: Frame[] = [];
  readonly #parser;
  #head: AnswerHead | undefined;
  #headBytes = Buffer.alloc(0);
  #message: Buffer[] | undefined;
  #messageBytes = 0;
  #waitingBytes = 0;
  #mostRead = 0;
  #failure: { error: unknown } | undefined;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#parser = createFrameParser(options.maxPayloadBytes);
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    this.#socket = createConnection({
      path: options.path,
      onread: { buffer, callback: (size) => this.#take(buffer.subarray(0, size)) },
    });
    // Only now does nothing read into it any more. What it held was another container's plaintext: not kept longer than its call.
    this.#socket.once('close', () => {
      buffer.fill(0, 0, this.#mostRead);
      if (spare.length < MAX_SPARE_BUFFERS) spare.push(buffer);
    });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('end', () => this.#close());
    this.#socket.on('close', () => this.#close());
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** A request whose body is whole. The answer ends with the connection. */
  sendMessage(body: Uint8Array): void {
    this.#socket.write(Buffer.concat([this.#requestHead(`content-length: ${body.length}\r\nconnection: close`), body]));
  }

  /** The head of a request whose body follows in chunks. */
  begin(): void {
    this.#socket.write(this.#requestHead('transfer-encoding: chunked'));
  }

  /** One chunk of the parts as they are, in one write; resolves when the socket takes more. */
  async writeChunk(parts: readonly Uint8Array[]): Promise<void> {
    this.#requireOpen();
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    this.#socket.cork();
    this.#socket.write(`${size.toString(16)}\r\n`, 'latin1');
    for (const part of parts) this.#socket.write(part);
    const more = this.#socket.write(CRLF);
    this.#socket.uncork();
    if (!more && !this.#socket.destroyed) await this.#drained();
    passedBytes(size);
    this.#requireOpen();
  }

  endChunks(): void {
    this.#socket.write('0\r\n\r\n', 'latin1');
  }

  /** The status line and headers of the answer. */
  async head(): Promise<AnswerHead> {
    while (this.#head === undefined) await this.#more();
    return this.#head;
  }

  /** The body of an answer that is one message: all that comes, or what its length says. */
  async message(maxBytes: number): Promise<Uint8Array> {
    const { headers } = await this.head();
    const length = Number(headers.get('content-length') ?? Number.NaN);
    if (!(length <= maxBytes)) throw new FrameError(`not a message of at most ${maxBytes} bytes`);
    while (this.#messageBytes < length) await this.#more();
    return Buffer.concat(this.#message ?? []).subarray(0, length);
  }

  /** The next frame of the answer; undefined after the last. */
  async nextFrame(): Promise<Frame | undefined> {
    for (;;) {
      this.#options.signal?.throwIfAborted();
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#waitingBytes -= frame.payload.length;
        passedBytes(frame.payload.length);
        if (this.#waitingBytes < READ_AHEAD_BYTES) this.#socket.resume();
        return frame;
      }
      if (this.#parser.ended) return undefined;
      await this.#more();
    }
  }

  /** Ends the connection; whatever is under way on the other side is aborted by it. */
  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#socket.destroy();
  }

  #requestHead(last: string): Buffer {
    const lines = Object.entries(this.#options.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(
      `POST ${this.#options.target} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}${last}\r\n\r\n`,
      'latin1',
    );
  }

  #abort = (): void => {
    this.#fail(this.#options.signal?.reason);
    this.#socket.destroy();
  };

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  #close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Whoever sends into a connection that was closed, by either side, stops here: its source may have no end. */
  #requireOpen(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#closed || this.#socket.destroyed)
      throw Object.assign(new Error('connection closed'), { code: 'ECONNRESET' });
  }

  /** Waits for bytes; throws when none will come. */
  async #more(): Promise<void> {
    this.#requireOpen();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Runs inside the read: what is not copied here is overwritten by the next one. False: read no more for now. */
  #take(bytes: Uint8Array): boolean {
    this.#mostRead = Math.max(this.#mostRead, bytes.length);
    try {
      const body = this.#head === undefined ? this.#takeHead(bytes) : bytes;
      if (body !== undefined && body.length > 0) this.#takeBody(body);
    } catch (error) {
      this.#fail(error);
      this.#socket.destroy();
    }
    this.#wake();
    return this.#waitingBytes < READ_AHEAD_BYTES;
  }

  #takeHead(bytes: Uint8Array): Uint8Array | undefined {
    const all = Buffer.concat([this.#headBytes, bytes]);
    const end = all.indexOf('\r\n\r\n');
    if ((end < 0 ? all.length : end) > MAX_HEAD_BYTES) throw new FrameError('the head is too long');
    this.#headBytes = all;
    if (end < 0) return undefined;
    this.#head = parseHead(all.toString('latin1', 0, end));
    if (!this.#head.headers.get('content-type')?.startsWith('application/vnd.nectar.frames')) this.#message = [];
    return all.subarray(end + 4);
  }

  #takeBody(bytes: Uint8Array): void {
    if (this.#message === undefined) {
      for (const frame of this.#parser.push(bytes)) {
        this.#frames.push(frame);
        this.#waitingBytes += frame.payload.length;
      }
      return;
    }
    this.#messageBytes += bytes.length;
    if (this.#messageBytes > this.#options.maxPayloadBytes) throw new FrameError('the message is too long');
    this.#message.push(Buffer.from(bytes));
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#socket.off('drain', settle).off('close', settle);
        resolve();
      };
      this.#socket.on('drain', settle).on('close', settle);
    });
  }
}

function parseHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status] = /^HTTP\/1\.1 ([1-5][0-9]{2})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new FrameError('not an answer of HTTP/1.1');
  const headers = new Map(
    lines.map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  return { status: Number(status), headers };
}
