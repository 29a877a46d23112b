import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { Logger } from '../telemetry/index.ts';
import type { RollupConfig } from './config.ts';
import { type CpuBudget, createCpuBudget } from './evm/cpu-budget.ts';
import type { EvmCalls } from './evm/evm-calls.ts';
import { startEvmThread } from './evm/evm-thread.ts';
import { createInlineCalls } from './evm/inline-calls.ts';
import { createWorkerCalls, type Outcome, type WorkerCalls } from './evm/worker-calls.ts';
import type { ChainDatabase } from './execute/chain-database.ts';
import { loadMachine } from './execute/machine-file.ts';
import { forkOf } from './network-rules.ts';
import { OWN_CALL } from './rpc/json-rpc.ts';

/** Of each thread's own preimages, beside the node's. */
const EVM_CACHE_BYTES = 16 << 20;
/** Of those of the node's own calls, which are few and alike. */
const OWN_CACHE_BYTES = 2 << 20;
/** Of each second, what comes back of a caller's computing time. */
const EVM_BUDGET_REFILL = 0.2;
/** A thread takes a tenth of a second to begin again. */
const EVM_IDLE_MS = 60_000;

export interface NodeEvmOptions {
  readonly config: RollupConfig;
  readonly descriptor: Pick<NetworkDescriptor, 'l2'>;
  readonly databasePath: string;
  readonly databaseKey: Uint8Array;
}

export interface NodeEvmDeps {
  readonly log: Logger;
  readonly onEvmSpent: (outcome: Outcome, ms: number) => void;
}

export interface NodeEvm extends EvmCalls, Pick<WorkerCalls, 'stop'> {
  /** Of each caller: what else computes for clients draws on it too. */
  readonly budget: CpuBudget;
}

/** The node's own calls run here and at once; everybody else's in threads, within bounds. */
export function createNodeEvm(
  { config, descriptor, databasePath: path, databaseKey }: NodeEvmOptions,
  { log, onEvmSpent }: NodeEvmDeps,
  on: { readonly database: ChainDatabase; readonly rules: Rules },
): NodeEvm {
  const now = (): number => performance.now();
  const budget = createCpuBudget({ capacityMs: config.evmBudgetMs, refill: EVM_BUDGET_REFILL }, now);
  const module = loadMachine();
  const machineRules = { chainId: BigInt(descriptor.l2.chainId), ...forkOf(descriptor) };
  const setup = { module, machineRules, database: { path, databaseKey, cacheBytes: EVM_CACHE_BYTES } };
  const threads = createWorkerCalls(
    {
      threads: config.evmThreads,
      deadlineMs: config.evmDeadlineMs,
      maxQueued: config.evmMaxQueued,
      maxQueuedPerCaller: Math.max(1, Math.floor(config.evmMaxQueued / 4)),
      budgetMs: config.evmBudgetMs,
      budgetRefill: EVM_BUDGET_REFILL,
      idleMs: EVM_IDLE_MS,
    },
    { spawn: () => startEvmThread(setup), now, log, budget, onSpent: onEvmSpent },
  );
  const inline = createInlineCalls(
    { module, machineRules, rules: on.rules },
    { path, databaseKey, cacheBytes: OWN_CACHE_BYTES },
  );
  on.database.beforeReopen(() => threads.release());
  on.database.beforeReopen(() => inline.release());
  return {
    run: (task, client) => (client.caller === OWN_CALL.caller ? inline : threads).run(task, client),
    async stop() {
      await threads.stop();
      await inline.release();
    },
    budget,
  };
}
