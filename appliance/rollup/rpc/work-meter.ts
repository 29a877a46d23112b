import { setImmediate as turn } from 'node:timers/promises';
import type { CpuBudget } from '../evm/cpu-budget.ts';
import { OWN_CALL, type RpcContext } from './json-rpc.ts';
import { RPC_CODE, RpcError } from './rpc-error.ts';

/**
 * What reading the chain costs, in milliseconds of this thread, decryption and decoding included. A tariff and no clock: between two
 * reads the thread works for others, who would be paid for. `npm run bench -- logs` measures it.
 */
export const READ_COST_MS = {
  /** A header, a row of the log index, a node of a trie. */
  record: 0.06,
  /** A block's receipts, beside what each of them adds. */
  receipts: 0.1,
  receipt: 0.03,
} as const;

/** Work at a stretch, before other work of the node has its turn. */
const STRETCH_MS = 4;

/** One request's work on this thread: paid for by its caller, ended by the deadline. */
export interface Work {
  /** Throws RpcError when the deadline or the caller's budget is used up, or the client left. */
  spend(ms: number): Promise<void>;
}

/** Computing time that requests take of the node's own thread, out of the same budget as that of the EVM's threads. */
export interface WorkMeter {
  /** Throws RpcError when the caller has nothing left. */
  begin(client: RpcContext): Work;
}

export interface WorkMeterOptions {
  /** Of the caller; undefined bounds nobody. */
  readonly budget: CpuBudget | undefined;
  readonly deadlineMs: number;
}

export function createWorkMeter({ budget, deadlineMs }: WorkMeterOptions): WorkMeter {
  return {
    begin({ caller, signal }) {
      const isOwn = caller === OWN_CALL.caller;
      let spentMs = 0;
      let stretchMs = 0;
      const assertLeft = (): void => {
        const waitS = isOwn ? 0 : (budget?.waitS(caller) ?? 0);
        if (waitS === 0) return;
        const message = `this token has used its computing time; there is more in ${waitS} s`;
        throw new RpcError(RPC_CODE.limitExceeded, message);
      };
      assertLeft();
      return {
        async spend(ms) {
          spentMs += ms;
          stretchMs += ms;
          if (!isOwn) budget?.spend(caller, ms);
          if (stretchMs < STRETCH_MS) return;
          stretchMs = 0;
          await turn();
          if (signal?.aborted === true) throw new RpcError(RPC_CODE.server, 'the client left');
          if (isOwn) return;
          // Word for word as geth says it.
          if (spentMs > deadlineMs)
            throw new RpcError(RPC_CODE.server, `execution aborted (timeout = ${deadlineMs / 1000}s)`);
          assertLeft();
        },
      };
    },
  };
}
