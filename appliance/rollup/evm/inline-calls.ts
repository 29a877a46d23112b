import type { EvmCalls } from './evm-calls.ts';
import { type EvmState, runTask } from './run-task.ts';

/** The EVM on this thread: for the node's own calls, of contracts whose cost is known, which must wait for nobody's. */
export function createInlineCalls(on: EvmState): EvmCalls {
  return { run: (task) => runTask(task, on) };
}
