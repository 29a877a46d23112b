import { programBeside, startThread, type Thread } from '../execute/thread.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';

export type EvmThread = Thread<WorkerRequest, WorkerReply>;

/** Of JavaScript. What a call holds is in the machine's own memory, which is bounded by the rules (64 MiB a call) and what it keeps. */
const MAX_HEAP_MB = 512;

export function startEvmThread(setup: WorkerSetup): EvmThread {
  return startThread({
    name: 'evm',
    program: programBeside(import.meta.url, 'evm-worker'),
    setup,
    maxHeapMb: MAX_HEAP_MB,
  });
}
