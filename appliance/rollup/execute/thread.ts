import { Worker } from 'node:worker_threads';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';

/** A thread that does one task after another, and can be ended in the middle of one. */
export interface EvmThread {
  post(request: WorkerRequest): void;
  onReply(listener: (reply: WorkerReply) => void): void;
  /** Called once when the thread is gone, whatever ended it; `error` when it was not `end`. */
  onExit(listener: (error: Error | undefined) => void): void;
  /** Resolves when it is gone and has let go of the database. */
  end(): Promise<void>;
}

/** A call may hold 30 million gas worth of memory and trie: far less than this. */
const MAX_HEAP_MB = 512;

/** The program of the thread: beside this file in the sources, beside the bundle in a bundle. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new URL(`./evm-worker.${extension}`, import.meta.url);
}

export function startEvmThread(setup: WorkerSetup): EvmThread {
  const worker = new Worker(workerUrl(), {
    name: 'evm',
    workerData: setup,
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  let failure: Error | undefined;
  worker.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  // The node's own work decides how long the process lives.
  worker.unref();
  return {
    post: (request) => worker.postMessage(request),
    onReply: (listener) => worker.on('message', listener),
    onExit: (listener) => worker.once('exit', () => listener(failure)),
    async end() {
      // Whoever waits for its end is work that the process must live for.
      worker.ref();
      await worker.terminate();
    },
  };
}
