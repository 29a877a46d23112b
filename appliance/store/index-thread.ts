import { Worker } from 'node:worker_threads';
import { type IndexWrite, packedBytes, packedRandomBytes, packWrites } from './packed-writes.ts';

const MAX_HEAP_MB = 64;
/** A batch of so many writes (eight puts) is of a busy node, for which the thread is started. */
const WRITES_TO_START = 64;
/** Fewer are sealed sooner than handed over. */
const MIN_WRITES = 24;
const FIRST_MEMORY_BYTES = 256 * 1024;
/** It stays with the process; a larger batch is sealed by the caller. */
const MAX_MEMORY_BYTES = 8 * 1024 * 1024;

export interface IndexThreadData {
  readonly folder: string;
  /** Of memory that both threads see: wiped once, it is gone for both. */
  readonly valueKey: Uint8Array;
}

export interface IndexRequest {
  /** packed-writes.ts; wiped by the thread once it has sealed what is in it. */
  readonly memory: SharedArrayBuffer;
  readonly bytes: number;
  readonly sync: boolean;
}

/** An error as it crosses: a copy of the object has no code. The first is the error, each of the others the cause of the one before. */
export type CrossedError = readonly { readonly message: string; readonly code?: string }[];

export type IndexReply =
  | { readonly is: 'ready' | 'written' }
  | { readonly is: 'failed'; readonly causes: CrossedError };

/**
 * Seals and writes the index beside the thread that serves clients, where many puts come at a time: a quarter of what a small put takes
 * of that thread. A node with little to do never has it.
 */
export interface IndexThread {
  /**
   * Seals the writes and makes them one batch of the database; undefined when there is no thread for them, and the caller does it.
   * One at a time. Rejects with what the database said, or when the thread is lost: nobody knows then whether it was written.
   */
  write(writes: readonly IndexWrite[], sync: boolean): Promise<void> | undefined;
  /** Gives the database back; a later write may start the thread again. */
  end(): Promise<void>;
}

export interface IndexThreadOptions {
  /** Of a database that is open in this thread already, for several (level.ts). */
  readonly folder: string;
  readonly valueKey: Uint8Array;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly start?: (data: IndexThreadData) => Worker;
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

export function createIndexThread(options: IndexThreadOptions): IndexThread {
  return new SealingThread(options);
}

class SealingThread implements IndexThread {
  readonly #options: IndexThreadOptions;
  #worker: Worker | undefined;
  #state: 'absent' | 'starting' | 'ready' | 'lost' = 'absent';
  #waiting: Waiting | undefined;
  #memory = new SharedArrayBuffer(0);
  #key: Uint8Array = new Uint8Array(0);
  /** Resolves once a thread that starts is ready, or lost. */
  #started: Promise<void> = Promise.resolve();

  constructor(options: IndexThreadOptions) {
    this.#options = options;
  }

  write(writes: readonly IndexWrite[], sync: boolean): Promise<void> | undefined {
    if (this.#state === 'absent' && writes.length >= WRITES_TO_START) this.#begin();
    const worker = this.#worker;
    if (worker === undefined || this.#state !== 'ready' || writes.length < MIN_WRITES) return undefined;
    const bytes = packedBytes(writes);
    if (bytes > MAX_MEMORY_BYTES) return undefined;
    if (bytes > this.#memory.byteLength) this.#memory = new SharedArrayBuffer(roomFor(bytes));
    const random = this.#options.randomBytes(packedRandomBytes(writes.length));
    packWrites(writes, random, new Uint8Array(this.#memory, 0, bytes));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      // Idle it keeps no process running; while somebody waits for it, it does.
      worker.ref();
      worker.postMessage({ memory: this.#memory, bytes, sync } satisfies IndexRequest);
    });
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    await this.#started;
    this.#worker = undefined;
    if (this.#state !== 'lost') this.#state = 'absent';
    // Its end closes its half of the database.
    await worker.terminate();
    this.#key.fill(0);
    new Uint8Array(this.#memory).fill(0);
  }

  #begin(): void {
    const { folder, valueKey, start = startWorker } = this.#options;
    this.#key = new Uint8Array(new SharedArrayBuffer(valueKey.length));
    this.#key.set(valueKey);
    this.#state = 'starting';
    const worker = start({ folder, valueKey: this.#key });
    this.#worker = worker;
    this.#started = new Promise((resolve) => {
      worker.once('message', resolve).once('exit', resolve);
    });
    worker.on('message', (reply: IndexReply) => this.#take(reply));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('the thread of the index ended')));
    worker.unref();
  }

  #take(reply: IndexReply): void {
    if (reply.is === 'ready') {
      if (this.#state === 'starting') this.#state = 'ready';
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#worker?.unref();
    if (reply.is === 'failed') waiting?.reject(errorOf(reply.causes));
    else waiting?.resolve();
  }

  /** One that ended by itself is not asked again. */
  #lose(worker: Worker, error: unknown): void {
    if (worker !== this.#worker) return;
    this.#state = 'lost';
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

function roomFor(bytes: number): number {
  return Math.min(MAX_MEMORY_BYTES, Math.max(FIRST_MEMORY_BYTES, 2 * bytes));
}

function errorOf(causes: CrossedError): Error {
  const [first, ...rest] = causes;
  const cause = rest.length === 0 ? {} : { cause: errorOf(rest) };
  const error = new Error(first?.message ?? 'the index was not written', cause);
  return first?.code === undefined ? error : Object.assign(error, { code: first.code });
}

/** The program of the thread: beside this file in the sources, beside the bundle in a bundle. */
function startWorker(workerData: IndexThreadData): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new Worker(new URL(`./index-worker.${extension}`, import.meta.url), {
    name: 'index',
    workerData,
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}
