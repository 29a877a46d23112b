import { Worker } from 'node:worker_threads';
import { BODY_SALT_BYTES, isEventType } from '../../protocol/merkle/audit-leaf.ts';
import { HASH_BYTES } from '../../protocol/merkle/hash.ts';
import type { AuditInput } from './audit-input.ts';
import { BODY_NONCE_BYTES } from './body-seal.ts';
import { EPOCH_LEAF } from './declared-epoch.ts';
import type { MadeGroup, MadeLeaf } from './make-group.ts';

const MAX_HEAP_MB = 64;
/** So many appends at a time are of a busy node, for which the thread is started. */
const ENTRIES_TO_START = 8;
/** Fewer are written down sooner than handed over. */
const MIN_ENTRIES = 3;
/** What an event becomes as FHIR, at most: of each character, of each patient and detail, and of the rest. */
const MAX_GROWTH = 12;
const MAX_PART_BYTES = 512;
const MAX_FRAME_BYTES = 3_000;

export interface AppendThreadData {
  /** Of memory that both threads see: wiped once, it is gone for both. */
  readonly bodyKey: Uint8Array;
  readonly origin: string;
  readonly maxBodyBytes: number;
}

export interface AppendRequest {
  readonly first: number;
  readonly sealedAs: string;
  /** AuditInputs as JSON. */
  readonly events: readonly string[];
  readonly times: readonly number[];
  /** Salts and nonces of all of them. */
  readonly random: Uint8Array;
}

export interface AppendReply {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** One after the other, with their lengths. */
  readonly leaves: Uint8Array<ArrayBuffer>;
  readonly lengths: readonly number[];
  readonly hashes: Uint8Array<ArrayBuffer>;
}

/** An event that a thread can write down: nothing about it can be refused any more. */
export interface CrossingEvent {
  readonly json: string;
  readonly time: number;
}

/**
 * Writes down and seals the entries of many appends at a time beside the thread that serves clients. A node with little to do never
 * has it. What it does has no effect outside: losing it costs time only.
 */
export interface AppendThread {
  /** The event as it crosses; undefined where there is no thread for it, or what it becomes may be refused: then it is prepared here. */
  cross(event: AuditInput, time: number): CrossingEvent | undefined;
  /** Undefined when there is no thread for so many entries: the caller makes the group. */
  make(of: {
    readonly first: number;
    readonly sealedAs: string;
    readonly events: readonly CrossingEvent[];
  }): Promise<MadeGroup | undefined> | undefined;
  /** Tells how many appends were made together: the thread is started for many. */
  saw(entries: number): void;
  end(): Promise<void>;
}

export interface AppendThreadOptions extends AppendThreadData {
  readonly randomBytes: (length: number) => Uint8Array;
  readonly start?: (data: AppendThreadData) => Worker;
}

export function createAppendThread(options: AppendThreadOptions): AppendThread {
  return new WritingThread(options);
}

class WritingThread implements AppendThread {
  readonly #options: AppendThreadOptions;
  #worker: Worker | undefined;
  #state: 'absent' | 'starting' | 'ready' | 'ended' = 'absent';
  /** Of the one group that is under way. */
  #waiting: ((reply: AppendReply | undefined) => void) | undefined;
  #key: Uint8Array = new Uint8Array(0);

  constructor(options: AppendThreadOptions) {
    this.#options = options;
  }

  cross(event: AuditInput, time: number): CrossingEvent | undefined {
    // An epoch begins under another name than the entries around it.
    if (this.#state !== 'ready' || event.type === EPOCH_LEAF || !isEventType(event.type)) return undefined;
    const json = JSON.stringify(event);
    const parts = (event.patients?.length ?? 0) + Object.keys(event.detail ?? {}).length;
    const most = MAX_FRAME_BYTES + MAX_PART_BYTES * parts + MAX_GROWTH * json.length;
    return most <= this.#options.maxBodyBytes ? { json, time } : undefined;
  }

  make(of: Parameters<AppendThread['make']>[0]): Promise<MadeGroup | undefined> | undefined {
    const { first, sealedAs, events } = of;
    const worker = this.#worker;
    if (worker === undefined || this.#state !== 'ready' || events.length < MIN_ENTRIES) return undefined;
    const random = this.#options.randomBytes(events.length * (BODY_SALT_BYTES + BODY_NONCE_BYTES));
    const request: AppendRequest = {
      first,
      sealedAs,
      events: events.map(({ json }) => json),
      times: events.map(({ time }) => time),
      random,
    };
    return new Promise((resolve) => {
      this.#waiting = (reply) => resolve(reply === undefined ? undefined : groupOf(reply));
      // Idle it keeps no process running; while somebody waits for it, it does.
      worker.ref();
      worker.postMessage(request);
    });
  }

  saw(entries: number): void {
    if (this.#state === 'absent' && entries >= ENTRIES_TO_START) this.#begin();
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#lose();
    worker?.ref();
    await worker?.terminate();
    this.#key.fill(0);
  }

  #begin(): void {
    const { bodyKey, origin, maxBodyBytes, start = startWorker } = this.#options;
    this.#key = new Uint8Array(new SharedArrayBuffer(bodyKey.length));
    this.#key.set(bodyKey);
    this.#state = 'starting';
    const worker = start({ bodyKey: this.#key, origin, maxBodyBytes });
    this.#worker = worker;
    worker.on('message', (reply: AppendReply | 'ready') => {
      if (reply === 'ready') {
        if (this.#state === 'starting') this.#state = 'ready';
        return;
      }
      worker.unref();
      this.#settle(reply);
    });
    worker.on('error', () => this.#lose());
    worker.on('exit', () => this.#lose());
    worker.unref();
  }

  /** What it had not done is done by the caller, and nothing is asked of it again. */
  #lose(): void {
    this.#state = 'ended';
    this.#settle(undefined);
  }

  #settle(reply: AppendReply | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(reply);
  }
}

function groupOf({ bytes, leaves, lengths, hashes }: AppendReply): MadeGroup {
  let at = 0;
  return {
    bytes,
    leaves: lengths.map((length, i): MadeLeaf => {
      at += length;
      return {
        leaf: leaves.subarray(at - length, at),
        leafHash: hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES) as MadeLeaf['leafHash'],
      };
    }),
  };
}

/** The program of the thread: beside this file in the sources, beside the bundle in a bundle. */
function startWorker(workerData: AppendThreadData): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new Worker(new URL(`./append-worker.${extension}`, import.meta.url), {
    name: 'append',
    workerData,
    // Nothing of this process's environment or arguments is the thread's business.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}
