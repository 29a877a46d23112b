import { createBlockFromRLP, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { EvmAnswer, EvmTask } from './evm-calls.ts';
import type { EvmMachine } from './evm-machine.ts';
import { replayBlock } from './replay-block.ts';
import { simulateBlocks } from './simulate-blocks.ts';
import { TraceTooLarge } from './trace/trace-config.ts';
import { estimate, listAccesses, traceCall, tryCall } from './try-call.ts';

/** Does a task on this thread, which does nothing else meanwhile. */
export function runTask(task: EvmTask, evm: EvmMachine): EvmAnswer {
  try {
    return answer(task, evm);
  } catch (error) {
    if (error instanceof TraceTooLarge) return { kind: 'tooLarge', reason: error.message };
    throw error;
  }
}

function answer(task: EvmTask, evm: EvmMachine): EvmAnswer {
  const { rules: common } = evm;
  if (task.kind === 'simulate') return simulateBlocks(task, evm);
  if (task.kind === 'replay') {
    const previous = createBlockHeaderFromRLP(task.previous, { common });
    const block = createBlockFromRLP(task.block, { common });
    return { kind: 'replayed', traces: replayBlock({ previous, block, only: task.only }, evm, task.trace) };
  }
  const { request, overrides } = task;
  const on = { header: createBlockHeaderFromRLP(task.header, { common }), overrides, evm };
  switch (task.kind) {
    case 'call':
      return tryCall(request, on);
    case 'estimate':
      return estimate(request, on);
    case 'accessList':
      return listAccesses(request, on);
    case 'trace':
      return traceCall(request, on, task.trace);
  }
}
