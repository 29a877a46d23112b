import { NectarError } from '../../../protocol/errors.ts';
import type { BlockAnswers, BlockReply, BlockRequest, BlockSetup, BlockTask } from './block-messages.ts';
import { fromThreadError, programBeside, startThread, type Thread } from './thread.ts';

/**
 * Machines and the cache of preimages lie outside it. The largest block writes some 100,000 nodes, each an object or two here. The
 * lower it is, the sooner V8 collects.
 */
const MAX_HEAP_MB = 512;

export type StartBlockThread = (setup: BlockSetup) => Thread<BlockRequest, BlockReply>;

export const startBlockThread: StartBlockThread = (setup) =>
  startThread({
    name: 'block',
    program: programBeside(import.meta.url, 'block-worker'),
    setup,
    maxHeapMb: MAX_HEAP_MB,
  });

/** One thread with a machine, started with its first task and again after it ended. Tasks run in the order in which they came. */
export interface BlockThread {
  /** Throws what the task threw; ROLLUP_MACHINE_ENDED when the thread ended before it answered. */
  run<K extends BlockTask['kind']>(task: BlockTask & { readonly kind: K }): Promise<BlockAnswers[K]>;
  /** Ends the thread, and with it its hold on the database. What was asked for is thrown `reason`. */
  end(reason: Error): Promise<void>;
}

export function createBlockThread(setup: () => BlockSetup, start: StartBlockThread = startBlockThread): BlockThread {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let thread: Thread<BlockRequest, BlockReply> | undefined;
  let ids = 0;

  function failAll(reason: Error): void {
    const failed = [...waiting.values()];
    waiting.clear();
    for (const { reject } of failed) reject(reason);
  }

  function take(message: BlockReply): void {
    const settle = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'done') settle?.resolve(message.answer);
    else settle?.reject(fromThreadError(message.error));
  }

  function spawn(): Thread<BlockRequest, BlockReply> {
    const started = start(setup());
    started.onReply((message) => {
      if (thread === started) take(message);
    });
    started.onExit((error) => {
      if (thread !== started) return;
      thread = undefined;
      failAll(new NectarError('ROLLUP_MACHINE_ENDED', { reason: error?.message ?? 'it was ended' }, { cause: error }));
    });
    thread = started;
    return started;
  }

  return {
    async run(task) {
      const running = thread ?? spawn();
      ids += 1;
      const settle = Promise.withResolvers<unknown>();
      waiting.set(ids, settle);
      running.post({ id: ids, task });
      return settle.promise as Promise<BlockAnswers[typeof task.kind]>;
    },
    async end(reason) {
      const ended = thread;
      thread = undefined;
      failAll(reason);
      await ended?.end();
    },
  };
}
