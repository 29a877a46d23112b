import { programBeside, startThread, type Thread } from '../execute/thread.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';

export type EvmThread = Thread<WorkerRequest, WorkerReply>;

/** A call may hold 30 million gas worth of memory and trie: far less than this. */
const MAX_HEAP_MB = 512;

export function startEvmThread(setup: WorkerSetup): EvmThread {
  return startThread({
    name: 'evm',
    program: programBeside(import.meta.url, 'evm-worker'),
    setup,
    maxHeapMb: MAX_HEAP_MB,
  });
}
