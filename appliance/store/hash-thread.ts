import { Worker } from 'node:worker_threads';
import { isWholePages } from '../page-memory.ts';
import { sha256 } from './cid.ts';

const MAX_HEAP_MB = 32;

export interface HashRequest {
  readonly id: number;
  /** Of memory that both threads see: nothing is copied. */
  readonly bytes: Uint8Array;
}

export interface HashReply {
  readonly id: number;
  readonly digest: Uint8Array;
}

export interface HashThread {
  /**
   * SHA-256 of a block: of a full one in the other thread, which takes most of a large put's time from the one that serves
   * clients; of any other, and where there is no thread, at once. The bytes may not change until it is there.
   */
  sha256(block: Uint8Array): Uint8Array | Promise<Uint8Array>;
  end(): Promise<void>;
}

interface Waiting {
  readonly block: Uint8Array;
  resolve(digest: Uint8Array): void;
}

/** Starts with the first full block: a node of small records never has it. */
export function createHashThread(start: () => Worker = startWorker): HashThread {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let worker: Worker | undefined;
  let usable = true;

  /** What it had not done is done here, and nothing is asked of it again. */
  function lost(): void {
    usable = false;
    for (const { block, resolve } of waiting.values()) resolve(sha256(block));
    waiting.clear();
  }

  function begin(): Worker {
    const begun = start();
    begun.on('message', ({ id, digest }: HashReply) => {
      waiting.get(id)?.resolve(digest);
      waiting.delete(id);
      if (waiting.size === 0) begun.unref();
    });
    begun.on('error', lost);
    begun.on('exit', lost);
    begun.unref();
    return begun;
  }

  return {
    sha256(block) {
      if (!usable || !isWholePages(block) || !(block.buffer instanceof SharedArrayBuffer)) return sha256(block);
      worker ??= begin();
      const id = next++;
      return new Promise((resolve) => {
        waiting.set(id, { block, resolve });
        // Idle it keeps no process running; while somebody waits for it, it does.
        if (waiting.size === 1) worker?.ref();
        worker?.postMessage({ id, bytes: block } satisfies HashRequest);
      });
    },
    async end() {
      // Whoever waits for its end is work that the process must live for.
      worker?.ref();
      await worker?.terminate();
    },
  };
}

/** The program of the thread: beside this file in the sources, beside the bundle in a bundle. */
function startWorker(): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new Worker(new URL(`./hash-worker.${extension}`, import.meta.url), {
    name: 'hash',
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}
