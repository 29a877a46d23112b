import { Worker } from 'node:worker_threads';
import type { CodedShard, SegmentCoder } from '../../coding/host/segment-coder.ts';
import { type ErrorCode, NectarError } from '../../protocol/errors.ts';

const MAX_HEAP_MB = 64;

/** A call of the thread: its name and what it is given. */
type Work =
  | { readonly name: 'encode'; readonly given: Parameters<SegmentCoder['encode']> }
  | { readonly name: 'read'; readonly given: Parameters<SegmentCoder['read']> }
  | { readonly name: 'repair'; readonly given: Parameters<SegmentCoder['repair']> }
  | { readonly name: 'pieces'; readonly given: Parameters<SegmentCoder['pieces']> };

export interface CodingRequest {
  readonly id: number;
  readonly work: Work;
}

export type CodingReply =
  | { readonly id: number; readonly done: unknown }
  | { readonly id: number; readonly refused: { readonly code: ErrorCode; readonly data: unknown } };

/** The calls of a SegmentCoder, in a thread: a segment takes a core for a second, and clients are served meanwhile. */
export interface CodingThread {
  encode(...given: Parameters<SegmentCoder['encode']>): Promise<CodedShard[]>;
  read(...given: Parameters<SegmentCoder['read']>): Promise<ReturnType<SegmentCoder['read']>>;
  repair(...given: Parameters<SegmentCoder['repair']>): Promise<CodedShard[]>;
  pieces(...given: Parameters<SegmentCoder['pieces']>): Promise<Uint8Array>;
  end(): Promise<void>;
}

interface Waiting {
  resolve(done: unknown): void;
  reject(error: Error): void;
}

/**
 * Starts with the first segment. A thread that ends rejects what it had not done with CODING_THREAD_ENDED, and the next call begins
 * another one.
 */
export function createCodingThread(start: () => Worker = startWorker): CodingThread {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let worker: Worker | undefined;

  function lost(of: Worker, reason: string): void {
    if (worker !== of) return;
    worker = undefined;
    for (const { reject } of waiting.values()) reject(new NectarError('CODING_THREAD_ENDED', { reason }));
    waiting.clear();
  }

  function begin(): Worker {
    const begun = start();
    begun.on('message', (reply: CodingReply) => {
      const { resolve, reject } = waiting.get(reply.id) ?? {};
      waiting.delete(reply.id);
      if (waiting.size === 0) begun.unref();
      if ('done' in reply) resolve?.(reply.done);
      else reject?.(new NectarError(reply.refused.code, reply.refused.data as never));
    });
    begun.on('error', (error) => lost(begun, error instanceof Error ? error.message : 'it threw'));
    begun.on('exit', (code) => lost(begun, `exit ${code}`));
    begun.unref();
    return begun;
  }

  function ask<T>(work: Work): Promise<T> {
    worker ??= begin();
    const id = next++;
    return new Promise<T>((resolve, reject) => {
      waiting.set(id, { resolve: (done) => resolve(done as T), reject });
      if (waiting.size === 1) worker?.ref();
      worker?.postMessage({ id, work } satisfies CodingRequest);
    });
  }

  return {
    encode: (...given) => ask({ name: 'encode', given }),
    read: (...given) => ask({ name: 'read', given }),
    repair: (...given) => ask({ name: 'repair', given }),
    pieces: (...given) => ask({ name: 'pieces', given }),
    async end() {
      const last = worker;
      last?.ref();
      await last?.terminate();
    },
  };
}

/** The program of the thread: beside this file in the sources, beside the bundle in a bundle. */
function startWorker(): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new Worker(new URL(`./coding-worker.${extension}`, import.meta.url), {
    name: 'coding',
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}
