import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { freeBytes } from '../stream-memory.ts';

/** Less than two pieces of a record: while one leaves, the one behind it is ready, and a third is read and opened. */
const MAX_LEAVING_BYTES = 1.5 * 1024 * 1024;

export interface Download {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Its pieces are nobody else's: they are freed as they leave. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes that Content-Length promises; undefined for a chunked answer. */
  readonly length?: number;
}

export interface DownloadLimits {
  readonly stallMs: number;
  readonly onBytes: (count: number) => void;
  /** The answer was cut off after its headers; `cause` is undefined when the client left. */
  readonly onTruncated: (cause: unknown) => void;
}

/**
 * Streams an answer with back-pressure. The first chunk is fetched before the headers go out, so that a failure to open
 * still becomes a problem document; a later one destroys the connection, because a clean end would look like success. Each
 * chunk waits for the one after it: the last byte leaves only when the source has ended well.
 */
export async function sendDownload(reply: FastifyReply, download: Download, limits: DownloadLimits): Promise<void> {
  const chunks = measured(download)[Symbol.asyncIterator]();
  const response = reply.raw;
  const out = createOutgoing(response, limits.stallMs);
  let failure: unknown;
  try {
    let next = await chunks.next();
    reply.hijack();
    if (response.destroyed) return;
    response.writeHead(download.status, download.headers);
    while (next.done !== true) {
      const chunk = next.value;
      next = await chunks.next();
      if (response.destroyed) return;
      limits.onBytes(chunk.length);
      if (!(await out.write(chunk))) return;
    }
    response.end();
    await out.finished();
  } catch (error) {
    if (!response.headersSent) throw error;
    failure = error;
  } finally {
    await release(chunks);
    if (reply.sent && !response.writableFinished) {
      limits.onTruncated(failure);
      response.destroy();
    }
  }
}

/** The body, held to the length announced for it. */
async function* measured({ body, length }: Download): AsyncGenerator<Uint8Array, void, void> {
  let count = 0;
  for await (const chunk of body) {
    count += chunk.length;
    if (length !== undefined && count > length) throw new RangeError('more bytes than announced');
    yield chunk;
  }
  if (length !== undefined && count !== length) throw new RangeError('fewer bytes than announced');
}

/** A source that fails while it is let go has nothing left to say: the answer is already decided. */
async function release(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  await Promise.resolve(chunks.return?.()).catch(() => undefined);
}

interface Outgoing {
  /** Writes a chunk, and waits for room for the next one. False when the client left, or took nothing for as long as it may. */
  write(chunk: Uint8Array): Promise<boolean>;
  /** The same for all that was written. */
  finished(): Promise<boolean>;
}

function createOutgoing(response: ServerResponse, stallMs: number): Outgoing {
  let onWritten: (() => void) | undefined;

  /** Resolves when something was written, or all of it; false when nothing was for so long. */
  function progress(until: 'written' | 'finish'): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (outcome: boolean) => () => {
        clearTimeout(timer);
        onWritten = undefined;
        response.off('finish', done).off('close', gone);
        resolve(outcome);
      };
      const done = settle(true);
      const gone = settle(false);
      const timer = setTimeout(gone, stallMs);
      if (until === 'written') onWritten = done;
      else response.on('finish', done);
      response.on('close', gone);
      if (response.destroyed) gone();
    });
  }

  return {
    async write(chunk) {
      response.write(chunk, (error) => {
        // After an error the connection may still hold it.
        if (!error) freeBytes(chunk);
        onWritten?.();
      });
      while (response.writableLength > MAX_LEAVING_BYTES) {
        if (!(await progress('written'))) return false;
      }
      return true;
    },
    async finished() {
      return response.writableFinished || progress('finish');
    },
  };
}
