/** The thread in which the EVM runs for clients: it may be ended at any moment, and holds nothing that would be lost. */
import { parentPort, workerData } from 'node:worker_threads';
import { createRules } from '../../../protocol/rollup/rules.ts';
import { nativeCrypto } from '../execute/native-crypto.ts';
import { threadCpuMs, toThreadError } from '../execute/thread.ts';
import { runTask } from './run-task.ts';
import { openSharedState } from './shared-state.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';

const setup = workerData as WorkerSetup;
const on = { state: await openSharedState(setup), rules: createRules(setup.chainId, nativeCrypto, setup.forkRules) };

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message);
}

async function answer({ id, task }: WorkerRequest): Promise<void> {
  const before = threadCpuMs();
  const cpuMs = (): number => threadCpuMs() - before;
  try {
    const result = await runTask(task, on);
    reply({ kind: 'done', id, cpuMs: cpuMs(), answer: result });
  } catch (error) {
    reply({ kind: 'failed', id, cpuMs: cpuMs(), error: toThreadError(error) });
  }
}

parentPort?.on('message', (request: WorkerRequest) => void answer(request));
reply({ kind: 'ready' });
