import type { Socket } from 'node:net';
import { freeBytes } from '../stream-memory.ts';
import {
  createFrameParser,
  type Frame,
  FrameError,
  type FrameReceiver,
  type FrameType,
  frameHeader,
} from './frames.ts';

/** Frames that wait for the consumer hold the sender back from here on. */
const READ_AHEAD_BYTES = 2 * 1024 * 1024;
/** What waits to be written holds the source back from here on: the next piece is made while one is being taken. */
const WRITE_AHEAD_BYTES = 1024 * 1024;
/** Time that the other side has to take the last answer of a connection. */
const LINGER_MS = 2_000;

/** A connection between two roles on which one call follows the other: frames both ways, back-pressure both ways. */
export class Channel {
  readonly #socket: Socket;
  readonly #parser;
  readonly #frames: Frame[] = [];
  #waitingBytes = 0;
  #unwrittenBytes = 0;
  #failure: { error: unknown } | undefined;
  #malformed: unknown;
  #closed = false;
  #corked = false;
  #wake: () => void = () => undefined;
  #written: () => void = () => undefined;

  /** The observer says what is expected, and sees each frame as it comes, before whoever waits for it. */
  constructor(socket: Socket, observer: FrameReceiver) {
    this.#socket = socket;
    this.#parser = createFrameParser({
      maxBytes: (type) => observer.maxBytes(type),
      take: (frame) => {
        observer.take(frame);
        this.#frames.push(frame);
        this.#waitingBytes += frame.payload.length;
      },
    });
    socket.on('error', (error) => this.fail(error));
    socket.on('end', this.#close).on('close', this.#close);
  }

  /** Bytes that were read; copied, so that the buffer is free again. False: read no more for now. */
  take(bytes: Uint8Array): boolean {
    if (this.#malformed !== undefined) return true;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#malformed = error;
    }
    this.#wake();
    return this.#waitingBytes < READ_AHEAD_BYTES;
  }

  /** The next frame. @throws FrameError, the reason given to `fail`, or ECONNRESET when none will come */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#waitingBytes -= frame.payload.length;
        if (this.#waitingBytes < READ_AHEAD_BYTES) this.#socket.resume();
        return frame;
      }
      if (this.#malformed !== undefined) throw this.#malformed;
      this.#requireOpen();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Begins a call; resolves once the kernel has taken it, which it does for a live other side alone. */
  request(name: string, input: Uint8Array): Promise<void> {
    const [call, item] = [Buffer.from(name), frameHeader('item', input.length)];
    const bytes = Buffer.concat([frameHeader('call', call.length), call, item, input]);
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(this.#failure?.error ?? error) : resolve()));
    });
  }

  /**
   * Writes a frame of these parts; resolves when the socket takes more. What is written in one turn leaves together. `free`:
   * the parts are nobody else's, and their memory is given back once they are written.
   */
  async write(type: FrameType, parts: readonly Uint8Array[], { free = false } = {}): Promise<void> {
    this.#requireOpen();
    this.#cork();
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    this.#socket.write(frameHeader(type, size));
    for (const part of parts) this.#writePart(part, free);
    while (this.#unwrittenBytes > WRITE_AHEAD_BYTES) {
      await new Promise<void>((resolve) => {
        this.#written = resolve;
      });
      this.#requireOpen();
    }
  }

  /** Says the last thing, and reads on for a while: closing at once, with bytes unread, could take it back. */
  end(type: FrameType, payload: Uint8Array): void {
    this.write(type, [payload]).catch(() => undefined);
    this.#malformed ??= new FrameError('it was ended');
    this.#socket.resume();
    this.#socket.end(() => {
      const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
      this.#socket.once('close', () => clearTimeout(timer));
    });
  }

  /** While nothing holds it, it does not keep the process running. */
  hold(held: boolean): void {
    if (held) this.#socket.ref();
    else this.#socket.unref();
  }

  /** Ends it, now; whoever waits is told the error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#socket.destroy();
    this.#wake();
  }

  /** Calls back with what ended it, once it has ended; returns what takes that back. */
  onClose(callback: (reason: unknown) => void): () => void {
    const tell = (): void => callback(this.#reason());
    if (this.isOpen) this.#socket.once('close', tell);
    else tell();
    return () => this.#socket.off('close', tell);
  }

  /** Open, and all that came was taken and made sense. */
  get isSound(): boolean {
    return this.isOpen && this.#malformed === undefined && this.#frames.length === 0;
  }

  get isOpen(): boolean {
    return this.#failure === undefined && !this.#closed && !this.#socket.destroyed;
  }

  #close = (): void => {
    this.#closed = true;
    // Nobody closes one half only: who sends no more has left.
    this.#socket.destroy();
    this.#wake();
  };

  /** Whoever sends into a connection that was closed, by either side, stops here: its source may have no end. */
  #requireOpen(): void {
    if (!this.isOpen) throw this.#reason();
  }

  #reason(): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    return Object.assign(new Error('connection closed'), { code: 'ECONNRESET' });
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #writePart(part: Uint8Array, free: boolean): void {
    this.#unwrittenBytes += part.length;
    this.#socket.write(part, (error) => {
      this.#unwrittenBytes -= part.length;
      // After an error the socket may still hold it.
      if (free && !error) freeBytes(part);
      this.#written();
    });
  }
}
