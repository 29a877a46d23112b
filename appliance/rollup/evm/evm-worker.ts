/** The thread in which the EVM runs for clients: it may be ended at any moment, and holds nothing that would be lost. */
import { parentPort, workerData } from 'node:worker_threads';
import { createRules } from '../../../protocol/rollup/rules.ts';
import { nativeCrypto } from '../execute/native-crypto.ts';
import { openSharedPreimages } from '../execute/shared-preimages.ts';
import { threadCpuMs, toThreadError } from '../execute/thread.ts';
import { createEvmMachine } from './evm-machine.ts';
import { runTask } from './run-task.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';

const { module, machineRules, database } = workerData as WorkerSetup;
const rules = createRules(machineRules.chainId, nativeCrypto, machineRules);
const evm = createEvmMachine({ module, machineRules, rules }, await openSharedPreimages(database));

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message);
}

function answer({ id, task }: WorkerRequest): void {
  const before = threadCpuMs();
  const cpuMs = (): number => threadCpuMs() - before;
  try {
    const result = runTask(task, evm);
    reply({ kind: 'done', id, cpuMs: cpuMs(), answer: result });
  } catch (error) {
    reply({ kind: 'failed', id, cpuMs: cpuMs(), error: toThreadError(error) });
  }
}

parentPort?.on('message', (request: WorkerRequest) => answer(request));
reply({ kind: 'ready' });
