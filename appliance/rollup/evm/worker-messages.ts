import type { MachineRules } from '../../../machine/host/machine.ts';
import type { WasmModule } from '../../../machine/host/web-assembly.ts';
import type { SharedPreimagesOptions } from '../execute/shared-preimages.ts';
import type { ThreadError } from '../execute/thread.ts';
import type { EvmAnswer, EvmTask } from './evm-calls.ts';

/** What a thread is given when it begins. */
export interface WorkerSetup {
  readonly module: WasmModule;
  readonly machineRules: MachineRules;
  readonly database: SharedPreimagesOptions;
}

export interface WorkerRequest {
  readonly id: number;
  readonly task: EvmTask;
}

/** `cpuMs`: what the task cost the thread. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly cpuMs: number; readonly answer: EvmAnswer }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly cpuMs: number;
      readonly error: ThreadError;
    };
