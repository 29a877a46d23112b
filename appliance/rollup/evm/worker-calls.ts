import { NectarError } from '../../../protocol/errors.ts';
import type { Logger } from '../../telemetry/index.ts';
import { fromThreadError } from '../execute/thread.ts';
import { RPC_CODE, RpcError } from '../rpc/rpc-error.ts';
import { type CpuBudget, createCpuBudget } from './cpu-budget.ts';
import type { EvmAnswer, EvmCalls, EvmClient, EvmTask } from './evm-calls.ts';
import type { EvmThread } from './evm-thread.ts';
import type { WorkerReply } from './worker-messages.ts';

export interface WorkerCallsOptions {
  readonly threads: number;
  /** Longest time that one task may run. */
  readonly deadlineMs: number;
  /** Tasks that wait for a thread, and of one caller. */
  readonly maxQueued: number;
  readonly maxQueuedPerCaller: number;
  /** Computing time that a caller may use at once, and how much of each second comes back. */
  readonly budgetMs: number;
  readonly budgetRefill: number;
  /** A thread that nobody called for this long is ended: it holds some 50 MiB. */
  readonly idleMs: number;
}

export interface WorkerCallsDeps {
  readonly spawn: () => EvmThread;
  readonly now: () => number;
  readonly log: Logger;
  /** Shared with other work for the same callers; its own, by the options, when absent. */
  readonly budget?: CpuBudget;
  /** `ms` of computing for an outcome: done, failed, deadline, left. */
  readonly onSpent?: (outcome: Outcome, ms: number) => void;
}

export type Outcome = 'done' | 'failed' | 'deadline' | 'left';

/** The EVM in threads of its own: whatever is called, the node goes on. */
export interface WorkerCalls extends EvmCalls {
  /** Ends all threads, which hold the database open; they begin again with the next call. */
  release(): Promise<void>;
  stop(): Promise<void>;
}

interface Job {
  readonly id: number;
  readonly task: EvmTask;
  readonly client: EvmClient;
  readonly settle: PromiseWithResolvers<EvmAnswer>;
}

interface Slot {
  thread: EvmThread | undefined;
  job: Job | undefined;
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
  /** Ends the thread when nobody calls. */
  idle: NodeJS.Timeout | undefined;
  /** Threads of this place that are not gone yet, and may hold the database open. */
  ending: Promise<unknown>;
}

/** What it costs to replace a thread that had to be ended: the caller whose call it was pays for it. */
const RESPAWN_MS = 500;
const LEFT = new RpcError(RPC_CODE.server, 'the client left');
const STOPPED = new NectarError('NODE_NOT_READY', { service: 'rollup', reason: 'stopping' });

export function createWorkerCalls(options: WorkerCallsOptions, deps: WorkerCallsDeps): WorkerCalls {
  return new ThreadedCalls(options, deps);
}

class ThreadedCalls implements WorkerCalls {
  readonly #options: WorkerCallsOptions;
  readonly #deps: WorkerCallsDeps;
  readonly #slots: Slot[];
  readonly #budget: CpuBudget;
  #queue: Job[] = [];
  #ids = 0;
  #isStopped = false;

  constructor(options: WorkerCallsOptions, deps: WorkerCallsDeps) {
    this.#options = options;
    this.#deps = deps;
    const unused = { thread: undefined, job: undefined, startedAt: 0, timer: undefined, idle: undefined };
    this.#slots = Array.from({ length: options.threads }, (): Slot => ({ ...unused, ending: Promise.resolve() }));
    const bounds = { capacityMs: options.budgetMs, refill: options.budgetRefill };
    this.#budget = deps.budget ?? createCpuBudget(bounds, deps.now);
  }

  async run(task: EvmTask, client: EvmClient): Promise<EvmAnswer> {
    if (this.#isStopped) throw STOPPED;
    if (client.signal?.aborted) throw LEFT;
    this.#assertBudget(client.caller);
    const own = this.#queue.filter((job) => job.client.caller === client.caller).length;
    if (this.#queue.length >= this.#options.maxQueued || own >= this.#options.maxQueuedPerCaller) {
      throw new RpcError(RPC_CODE.limitExceeded, 'too many calls are waiting');
    }
    this.#ids += 1;
    const job: Job = { id: this.#ids, task, client, settle: Promise.withResolvers() };
    const leave = (): void => this.#leave(job);
    client.signal?.addEventListener('abort', leave, { once: true });
    this.#queue.push(job);
    this.#dispatch();
    try {
      return await job.settle.promise;
    } finally {
      client.signal?.removeEventListener('abort', leave);
    }
  }

  async release(): Promise<void> {
    const again = new RpcError(RPC_CODE.server, 'the database is being opened again');
    await Promise.all(this.#slots.map((slot) => this.#end(slot, again)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const job of this.#queue.splice(0)) job.settle.reject(STOPPED);
    await Promise.all(this.#slots.map((slot) => this.#end(slot, STOPPED)));
  }

  #assertBudget(caller: string): void {
    const waitS = this.#budget.waitS(caller);
    if (waitS === 0) return;
    const message = `this token has used its computing time; there is more in ${waitS} s`;
    throw new RpcError(RPC_CODE.limitExceeded, message);
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      while (slot.job === undefined && this.#queue.length > 0 && !this.#isStopped) {
        const job = this.#queue.shift() as Job;
        try {
          // What it had left when it came may be used up by now.
          this.#assertBudget(job.client.caller);
        } catch (error) {
          job.settle.reject(error);
          continue;
        }
        this.#begin(slot, job);
      }
    }
  }

  #begin(slot: Slot, job: Job): void {
    slot.job = job;
    clearTimeout(slot.idle);
    if (slot.thread === undefined) {
      // Its first message says that it is ready: until then the task has not begun.
      this.#spawn(slot);
      return;
    }
    this.#post(slot, job);
  }

  #post(slot: Slot, job: Job): void {
    slot.startedAt = this.#deps.now();
    slot.timer = setTimeout(() => this.#overdue(slot, job), this.#options.deadlineMs);
    slot.thread?.post({ id: job.id, task: job.task });
  }

  #spawn(slot: Slot): void {
    const thread = this.#deps.spawn();
    slot.thread = thread;
    thread.onReply((reply) => {
      if (slot.thread === thread) this.#take(slot, reply);
    });
    thread.onExit((error) => {
      if (slot.thread !== thread) return;
      slot.thread = undefined;
      this.#deps.log.warn({ err: error }, 'an EVM thread ended by itself');
      this.#finish(slot, 'failed', this.#deps.now() - slot.startedAt)?.settle.reject(
        new RpcError(RPC_CODE.server, 'the call needs more memory than it may have'),
      );
      this.#dispatch();
    });
  }

  #take(slot: Slot, reply: WorkerReply): void {
    const { job } = slot;
    if (reply.kind === 'ready') {
      if (job !== undefined) this.#post(slot, job);
      return;
    }
    if (job?.id !== reply.id) return;
    this.#finish(slot, reply.kind, reply.cpuMs);
    if (reply.kind === 'done') job.settle.resolve(reply.answer);
    else job.settle.reject(fromThreadError(reply.error));
    this.#dispatch();
    if (slot.job === undefined)
      slot.idle = setTimeout(() => void this.#end(slot, STOPPED), this.#options.idleMs).unref();
  }

  #overdue(slot: Slot, job: Job): void {
    if (slot.job !== job) return;
    this.#finish(slot, 'deadline', this.#options.deadlineMs + RESPAWN_MS);
    // Word for word as geth says it.
    const text = `execution aborted (timeout = ${this.#options.deadlineMs / 1000}s)`;
    job.settle.reject(new RpcError(RPC_CODE.server, text));
    void this.#end(slot, STOPPED).then(() => this.#dispatch());
  }

  /** The client is gone: what waits is forgotten, what runs is ended. */
  #leave(job: Job): void {
    this.#queue = this.#queue.filter((other) => other !== job);
    job.settle.reject(LEFT);
    const slot = this.#slots.find((each) => each.job === job);
    if (slot === undefined) return;
    const elapsed = slot.timer === undefined ? 0 : this.#deps.now() - slot.startedAt;
    this.#finish(slot, 'left', elapsed + RESPAWN_MS);
    void this.#end(slot, LEFT).then(() => this.#dispatch());
  }

  /** Frees the slot and charges the caller. */
  #finish(slot: Slot, outcome: Outcome, ms: number): Job | undefined {
    const { job } = slot;
    clearTimeout(slot.timer);
    slot.timer = undefined;
    slot.job = undefined;
    if (job === undefined) return undefined;
    this.#budget.spend(job.client.caller, ms);
    this.#deps.onSpent?.(outcome, ms);
    return job;
  }

  async #end(slot: Slot, reason: Error): Promise<void> {
    const { thread, job } = slot;
    clearTimeout(slot.timer);
    clearTimeout(slot.idle);
    slot.timer = undefined;
    slot.job = undefined;
    slot.thread = undefined;
    job?.settle.reject(reason);
    slot.ending = Promise.all([slot.ending, thread?.end()]);
    await slot.ending;
  }
}
