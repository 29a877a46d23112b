import type { EvmAnswer, EvmTask } from './evm-calls.ts';
import type { SharedStateOptions } from './shared-state.ts';

/** What a thread is given when it begins. */
export interface WorkerSetup extends SharedStateOptions {
  readonly chainId: bigint;
}

export interface WorkerRequest {
  readonly id: number;
  readonly task: EvmTask;
}

/** `cpuMs`: what the task cost the thread. A NectarError crosses as code and data, anything else as its text, for the log. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly cpuMs: number; readonly answer: EvmAnswer }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly cpuMs: number;
      readonly error: { readonly code: string; readonly data: unknown } | { readonly text: string };
    };
