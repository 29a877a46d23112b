import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { freeBytes } from '../stream-memory.ts';

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
      const more = response.write(chunk, (error) => {
        // After an error the connection may still hold it.
        if (!error) freeBytes(chunk);
      });
      if (!more && !(await drained(response, limits.stallMs))) return;
    }
    response.end();
    await finished(response, limits.stallMs);
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

/** True once the client took what was written; false when it left or took nothing for `stallMs`. */
function drained(response: ServerResponse, stallMs: number): Promise<boolean> {
  return settled(response, 'drain', stallMs);
}

function finished(response: ServerResponse, stallMs: number): Promise<boolean> {
  return response.writableFinished ? Promise.resolve(true) : settled(response, 'finish', stallMs);
}

function settled(response: ServerResponse, event: 'drain' | 'finish', stallMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (outcome: boolean) => () => {
      clearTimeout(timer);
      response.off(event, done).off('close', gone);
      resolve(outcome);
    };
    const done = settle(true);
    const gone = settle(false);
    const timer = setTimeout(gone, stallMs);
    response.on(event, done).on('close', gone);
    if (response.destroyed) gone();
  });
}
