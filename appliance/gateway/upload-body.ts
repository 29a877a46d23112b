import type { IncomingMessage } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import { WholeBody } from '../whole-body.ts';

export interface UploadLimits {
  readonly maxBytes: number;
  readonly idleMs: number;
  readonly onBytes?: (count: number) => void;
}

/**
 * The request body, chunk by chunk as it is consumed: nothing is read ahead beyond the socket's own buffer, so a slow
 * store slows the client. Only the wait for the client counts as idle, not the time the consumer takes.
 *
 * @throws NectarError GATEWAY_BODY_TOO_LARGE, GATEWAY_UPLOAD_STALLED, GATEWAY_UPLOAD_ABORTED
 */
export async function* readUpload(
  request: IncomingMessage,
  limits: UploadLimits,
): AsyncGenerator<Uint8Array, void, void> {
  let received = 0;
  const aborted = () => new NectarError('GATEWAY_UPLOAD_ABORTED', { receivedBytes: received });
  for (;;) {
    const chunk = request.read() as Buffer | null;
    if (chunk !== null) {
      received += chunk.length;
      if (received > limits.maxBytes) throw new NectarError('GATEWAY_BODY_TOO_LARGE', { limitBytes: limits.maxBytes });
      limits.onBytes?.(chunk.length);
      yield chunk;
      continue;
    }
    // All of it was here and has been read: nothing is left to be waited for, not even the stream's own word of it.
    if (request.complete && request.readableLength === 0) return;
    if (request.readableEnded) {
      // A body cut off by the peer ends too: only a complete message counts.
      if (!request.complete) throw aborted();
      return;
    }
    if (request.destroyed) throw aborted();
    const event = await nextEvent(request, limits.idleMs);
    if (event === 'timeout') throw new NectarError('GATEWAY_UPLOAD_STALLED', { limitMs: limits.idleMs });
    if (event === 'lost') throw aborted();
  }
}

/** A small body, all of it, for those that are sealed at once. Throws as readUpload does. */
export async function readWhole(request: IncomingMessage, limits: UploadLimits): Promise<WholeBody> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readUpload(request, limits)) chunks.push(chunk);
  return new WholeBody(chunks);
}

/** Refuses by the announced size, before a byte is read. */
export function checkAnnouncedSize(request: IncomingMessage, maxBytes: number): void {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw new NectarError('GATEWAY_BODY_TOO_LARGE', { limitBytes: maxBytes });
}

function nextEvent(request: IncomingMessage, idleMs: number): Promise<'progress' | 'lost' | 'timeout'> {
  return new Promise((resolve) => {
    const settle = (outcome: 'progress' | 'lost' | 'timeout') => () => {
      clearTimeout(timer);
      request.off('readable', progress).off('end', progress).off('error', lost).off('close', closed);
      resolve(outcome);
    };
    const progress = settle('progress');
    const lost = settle('lost');
    const closed = () => (request.readableEnded ? progress() : lost());
    const timer = setTimeout(settle('timeout'), idleMs);
    request.on('readable', progress).on('end', progress).on('error', lost).on('close', closed);
  });
}
