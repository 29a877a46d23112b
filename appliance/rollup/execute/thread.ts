import { Worker } from 'node:worker_threads';
import { ERRORS, type ErrorCode, isNectarError, NectarError } from '../../../protocol/errors.ts';

/** A thread that does one task after another, and can be ended in the middle of one. */
export interface Thread<Request, Reply> {
  post(request: Request): void;
  onReply(listener: (reply: Reply) => void): void;
  /** Called once when the thread is gone, whatever ended it; `error` when it was not `end`. */
  onExit(listener: (error: Error | undefined) => void): void;
  /** Resolves when it is gone and has let go of the database. */
  end(): Promise<void>;
}

/**
 * Where V8 keeps what is new. Left alone it takes up to 192 MiB of a machine with much memory; a thread that hands bytes on has little
 * that is new and lives.
 */
const MAX_YOUNG_MB = 12;

export interface ThreadOptions {
  readonly name: string;
  /** The program: beside its starter in the sources, beside the bundle in a bundle. */
  readonly program: URL;
  readonly setup: unknown;
  readonly maxHeapMb: number;
}

/** Where a thread's program is; `starter` is the `import.meta.url` of the file beside it. */
export function programBeside(starter: string, name: string): URL {
  return new URL(`./${name}.${starter.endsWith('.ts') ? 'ts' : 'mjs'}`, starter);
}

export function startThread<Request, Reply>(options: ThreadOptions): Thread<Request, Reply> {
  const { name, program, setup, maxHeapMb } = options;
  const worker = new Worker(program, {
    name,
    workerData: setup,
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: MAX_YOUNG_MB },
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

/** An error on its way out of a thread: a NectarError as code and data, anything else as its text, for the log. */
export type ThreadError = { readonly code: string; readonly data: unknown } | { readonly text: string };

export function toThreadError(error: unknown): ThreadError {
  if (isNectarError(error)) return { code: error.code, data: error.data };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

export function fromThreadError(error: ThreadError): Error {
  if ('code' in error && Object.hasOwn(ERRORS, error.code)) {
    return new NectarError(error.code as ErrorCode, error.data as never);
  }
  return new Error('text' in error ? error.text : error.code);
}

/** CPU that this thread has used, in milliseconds. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
