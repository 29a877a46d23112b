import { openSharedPreimages, type SharedPreimages, type SharedPreimagesOptions } from '../execute/shared-preimages.ts';
import type { EvmCalls } from './evm-calls.ts';
import { createEvmMachine, type EvmMachine, type EvmMachineOptions } from './evm-machine.ts';
import { runTask } from './run-task.ts';

/** The EVM on this thread: for the node's own calls, of contracts whose cost is known, which must wait for nobody's. */
export interface InlineCalls extends EvmCalls {
  /** Lets go of the database, which the next call opens again. */
  release(): Promise<void>;
}

export function createInlineCalls(options: EvmMachineOptions, database: SharedPreimagesOptions): InlineCalls {
  let opened: Promise<{ readonly evm: EvmMachine; readonly preimages: SharedPreimages }> | undefined;
  const open = async () => {
    const preimages = await openSharedPreimages(database);
    return { evm: createEvmMachine(options, preimages), preimages };
  };
  return {
    async run(task) {
      opened ??= open();
      const opening = opened;
      try {
        return runTask(task, (await opening).evm);
      } catch (error) {
        // A database that did not open is tried again.
        if (opened === opening && (await isLost(opening))) opened = undefined;
        throw error;
      }
    },
    async release() {
      const last = opened;
      opened = undefined;
      const known = await last?.catch(() => undefined);
      await known?.preimages.close();
    },
  };
}

async function isLost(opening: Promise<unknown>): Promise<boolean> {
  return opening.then(
    () => false,
    () => true,
  );
}
