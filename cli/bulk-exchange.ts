import { connect as connectLocally, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PIECE_BYTES, takePiece } from '../appliance/page-memory.ts';
import { freeBytes } from '../appliance/stream-memory.ts';
import { type AnswerHead, announcedBytes, encodeRequestHead, invalid, parseAnswerHead } from './http-head.ts';

/** A TLS record holds 16 KiB; several may come at once. */
const READ_BYTES = 64 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;
/** Pieces that are there and not taken: the connection is read no further. */
const MAX_WAITING_PIECES = 4;
/** Pieces of a request on their way at a time. */
const MAX_WRITES = 3;

export interface BulkTarget {
  /** PEM of the node's own CA: the only one that is trusted. */
  readonly ca: string;
  /** Of a socket of this machine that the node answers on without TLS; HTTPS where nobody listens there. */
  readonly localSocket?: string | undefined;
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
  /** Longest wait for the answer's first byte, once all of the request is sent. */
  readonly answerTimeoutMs: number;
  /** Longest silence while bytes are on their way. */
  readonly silenceTimeoutMs: number;
}

export interface BulkRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Its pieces are freed as they leave (stream-memory.ts). */
  readonly body?: AsyncIterable<Uint8Array>;
}

export interface BulkAnswer extends AnswerHead {
  /** In pieces that are the reader's to free. Ends early with an error, never quietly; whoever stops reading ends the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * One request on a connection of its own, for bodies of which each turn through a general client costs more than the network. What
 * comes is written straight into pieces of a MiB of our memory, by TLS or by the kernel; nothing is allocated for each of the 65,536
 * chunks of a GiB. HTTP is as little of HTTP/1.1 as the node's own answers need: a status, headers, a body of a known length.
 */
export async function exchangeBulk(target: BulkTarget, request: BulkRequest): Promise<BulkAnswer> {
  const head = encodeRequestHead(request.method, request.url, { ...request.headers, connection: 'close' });
  target.signal.throwIfAborted();
  const { socket, incoming } = await openConnection(target, request.url);
  try {
    socket.setTimeout(target.silenceTimeoutMs);
    socket.write(head);
    // The node may answer before it has taken everything: a refusal is heard at once.
    if (request.body !== undefined) {
      const sent = send(socket, request.body, incoming);
      sent.catch(() => undefined);
      await Promise.race([sent, incoming.head]);
    }
    if (!incoming.isAnswered()) socket.setTimeout(target.answerTimeoutMs);
    const answer = await incoming.head;
    socket.setTimeout(target.silenceTimeoutMs);
    return { ...answer, body: incoming.body(socket) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

interface Connection {
  readonly socket: Socket;
  readonly incoming: Incoming;
}

async function openConnection(target: BulkTarget, url: URL): Promise<Connection> {
  const { localSocket: path } = target;
  if (path !== undefined) {
    try {
      return await connected(target, (onread) => connectLocally({ path, onread }), 'connect');
    } catch (error) {
      // Left by a node that was killed, or not there any more.
      if ((error as NodeJS.ErrnoException).syscall !== 'connect') throw error;
    }
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || 443);
  // As net.connect has it (Node's documentation), which TLS passes on: the types do not say so.
  const secure = (onread: OnRead) => connectTls({ host, port, ca: target.ca, ...({ onread } as object) });
  return connected(target, secure, 'secureConnect');
}

/** Where what comes is put, asked again after each time, and who is told. */
interface OnRead {
  readonly buffer: () => Uint8Array;
  readonly callback: (bytes: number, buffer: Uint8Array) => boolean;
}

async function connected(
  target: BulkTarget,
  open: (onread: OnRead) => Socket,
  event: 'connect' | 'secureConnect',
): Promise<Connection> {
  const incoming = createIncoming();
  const socket = open({ buffer: incoming.room, callback: incoming.take });
  const abort = (): void => void socket.destroy(target.signal.reason as Error);
  target.signal.addEventListener('abort', abort, { once: true });
  socket.setNoDelay(true);
  socket.setTimeout(target.connectTimeoutMs, () => socket.destroy(timedOut()));
  socket.once(event, incoming.onConnected);
  socket.once('error', (error) => incoming.fail(error));
  socket.once('close', () => {
    target.signal.removeEventListener('abort', abort);
    incoming.fail(Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' }));
  });
  incoming.attach(socket);
  try {
    await incoming.connected;
    return { socket, incoming };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function timedOut(): Error {
  return Object.assign(new Error('the node did not answer in time'), { code: 'ETIMEDOUT', syscall: 'read' });
}

async function send(socket: Socket, body: AsyncIterable<Uint8Array>, incoming: Incoming): Promise<void> {
  const writes = new Set<Promise<void>>();
  for await (const piece of body) {
    if (incoming.isAnswered() || socket.destroyed) {
      freeBytes(piece);
      break;
    }
    const written = new Promise<void>((resolve) => {
      socket.write(piece, () => {
        freeBytes(piece);
        writes.delete(written);
        resolve();
      });
    });
    writes.add(written);
    while (writes.size >= MAX_WRITES) await Promise.race(writes);
  }
  await Promise.all(writes);
}

interface Incoming {
  readonly connected: Promise<void>;
  readonly head: Promise<AnswerHead>;
  onConnected(): void;
  attach(socket: Socket): void;
  /** Where the next bytes go: of a body, straight into its piece. */
  room(this: void): Uint8Array;
  /** Takes what has come into that room. */
  take(this: void, bytes: number, buffer: Uint8Array): boolean;
  fail(error: Error): void;
  isAnswered(): boolean;
  body(socket: Socket): AsyncGenerator<Uint8Array>;
}

/** What comes back: a head, then a body in pieces. */
function createIncoming(): Incoming {
  const connected = Promise.withResolvers<void>();
  const head = Promise.withResolvers<AnswerHead>();
  for (const { promise } of [connected, head]) promise.catch(() => undefined);
  const waiting: Uint8Array[] = [];
  /** Of the head, and of what comes behind the end. */
  const scratch = Buffer.allocUnsafeSlow(READ_BYTES);
  let piece: Uint8Array | undefined;
  let filled = 0;
  let beginning: Buffer = Buffer.alloc(0);
  let left: number | undefined;
  let failure: Error | undefined;
  let socket: Socket | undefined;
  let wake: (() => void) | undefined;

  function fail(error: Error): void {
    if (left === 0) return;
    failure ??= error;
    connected.reject(failure);
    head.reject(failure);
    wake?.();
  }

  function takeHead(bytes: Uint8Array): Uint8Array {
    beginning = Buffer.concat([beginning, bytes]);
    const end = beginning.indexOf('\r\n\r\n');
    if (end < 0) {
      if (beginning.length > MAX_HEAD_BYTES) throw invalid('headers without an end');
      return new Uint8Array(0);
    }
    const parsed = parseAnswerHead(beginning.toString('latin1', 0, end));
    const rest = beginning.subarray(end + 4);
    beginning = Buffer.alloc(0);
    if (parsed.statusCode < 200) return takeHead(rest);
    left = announcedBytes(parsed);
    head.resolve(parsed);
    return rest;
  }

  function room(): Uint8Array {
    if (left === undefined || left === 0 || failure !== undefined) return scratch;
    piece ??= takePiece();
    return piece.subarray(filled, Math.min(PIECE_BYTES, filled + left));
  }

  function takeBody(bytes: Uint8Array): void {
    if (left === undefined) return;
    if (bytes.length > left) throw invalid('more bytes than announced');
    for (let at = 0; at < bytes.length; ) {
      const free = room();
      const part = bytes.subarray(at, at + free.length);
      free.set(part);
      at += part.length;
      filledUp(part.length);
    }
    if (left === 0) wake?.();
  }

  /** So many bytes are in the piece now. */
  function filledUp(count: number): void {
    filled += count;
    left = (left ?? 0) - count;
    if (piece === undefined || (filled < PIECE_BYTES && left > 0)) return;
    waiting.push(piece.subarray(0, filled));
    [piece, filled] = [undefined, 0];
    wake?.();
    if (waiting.length >= MAX_WAITING_PIECES) socket?.pause();
  }

  function leavePieces(): void {
    for (const each of waiting.splice(0)) freeBytes(each);
    if (piece !== undefined) freeBytes(piece);
    piece = undefined;
  }

  return {
    connected: connected.promise,
    head: head.promise,
    onConnected: connected.resolve,
    attach(to) {
      socket = to;
    },
    room,
    take(count, buffer) {
      if (failure !== undefined) return true;
      try {
        const bytes = buffer.subarray(0, count);
        if (buffer !== scratch) filledUp(count);
        else takeBody(left === undefined ? takeHead(bytes) : bytes);
      } catch (error) {
        socket?.destroy(error as Error);
      }
      return true;
    },
    fail,
    isAnswered: () => left !== undefined,
    async *body(from) {
      try {
        for (;;) {
          const next = waiting.shift();
          if (next !== undefined) {
            if (waiting.length < MAX_WAITING_PIECES && !from.destroyed) from.resume();
            yield next;
            continue;
          }
          if (left === 0) return;
          if (failure !== undefined) throw failure;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
      } finally {
        from.destroy();
        // Until it is closed it may still write into its piece.
        if (from.closed) leavePieces();
        else from.once('close', leavePieces);
      }
    },
  };
}
