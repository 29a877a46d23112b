import { connect, type TLSSocket } from 'node:tls';
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
 * One request on a connection of its own, for bodies of which each turn through a general client costs more than the network. TLS
 * writes what it has opened straight into our memory, and pieces of a MiB are filled from there; nothing is allocated for each of the
 * 65,536 chunks of a GiB. HTTP is as little of HTTP/1.1 as the node's own answers need: a status, headers, a body of a known length.
 */
export async function exchangeBulk(target: BulkTarget, request: BulkRequest): Promise<BulkAnswer> {
  const head = encodeRequestHead(request.method, request.url, { ...request.headers, connection: 'close' });
  target.signal.throwIfAborted();
  const incoming = createIncoming();
  const socket = openSocket(target, request.url, incoming);
  try {
    await incoming.connected;
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

function openSocket(target: BulkTarget, url: URL, incoming: Incoming): TLSSocket {
  const socket = connect({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 443),
    ca: target.ca,
    // As net.connect has it (Node's documentation), which TLS passes on: the types do not say so.
    ...({ onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: incoming.take } } as object),
  });
  const abort = (): void => void socket.destroy(target.signal.reason as Error);
  target.signal.addEventListener('abort', abort, { once: true });
  socket.setNoDelay(true);
  socket.setTimeout(target.connectTimeoutMs, () => socket.destroy(timedOut()));
  socket.once('secureConnect', incoming.onConnected);
  socket.once('error', (error) => incoming.fail(error));
  socket.once('close', () => {
    target.signal.removeEventListener('abort', abort);
    incoming.fail(Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' }));
  });
  incoming.attach(socket);
  return socket;
}

function timedOut(): Error {
  return Object.assign(new Error('the node did not answer in time'), { code: 'ETIMEDOUT', syscall: 'read' });
}

async function send(socket: TLSSocket, body: AsyncIterable<Uint8Array>, incoming: Incoming): Promise<void> {
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
  attach(socket: TLSSocket): void;
  /** Takes what has come; the buffer is used again afterwards. */
  take(this: void, bytes: number, buffer: Uint8Array): boolean;
  fail(error: Error): void;
  isAnswered(): boolean;
  body(socket: TLSSocket): AsyncGenerator<Uint8Array>;
}

/** What comes back: a head, then a body in pieces. */
function createIncoming(): Incoming {
  const connected = Promise.withResolvers<void>();
  const head = Promise.withResolvers<AnswerHead>();
  for (const { promise } of [connected, head]) promise.catch(() => undefined);
  const waiting: Uint8Array[] = [];
  let piece: Uint8Array = new Uint8Array(0);
  let filled = 0;
  let beginning: Buffer = Buffer.alloc(0);
  let left: number | undefined;
  let failure: Error | undefined;
  let socket: TLSSocket | undefined;
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

  function takeBody(bytes: Uint8Array): void {
    if (left === undefined) return;
    if (bytes.length > left) throw invalid('more bytes than announced');
    for (let at = 0; at < bytes.length; ) {
      if (filled === 0) piece = takePiece();
      const count = Math.min(bytes.length - at, PIECE_BYTES - filled);
      piece.set(bytes.subarray(at, at + count), filled);
      at += count;
      filled += count;
      left -= count;
      if (filled < PIECE_BYTES && left > 0) continue;
      waiting.push(piece.subarray(0, filled));
      filled = 0;
      wake?.();
    }
    if (left === 0) wake?.();
    if (waiting.length >= MAX_WAITING_PIECES) socket?.pause();
  }

  return {
    connected: connected.promise,
    head: head.promise,
    onConnected: connected.resolve,
    attach(to) {
      socket = to;
    },
    take(count, buffer) {
      if (failure !== undefined) return true;
      try {
        const bytes = buffer.subarray(0, count);
        takeBody(left === undefined ? takeHead(bytes) : bytes);
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
        for (const each of waiting.splice(0)) freeBytes(each);
        if (filled > 0) freeBytes(piece);
      }
    },
  };
}
