/** A thread that holds a machine: executes blocks over the open database, decodes batches, recovers senders. It writes nothing. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { createMachine, type Machine } from '../../../machine/host/machine.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { BlockReply, BlockRequest, BlockSetup, BlockTask, RawExecution } from './block-messages.ts';
import { createDatabaseKeys } from './database-keys.ts';
import { encodeOperations } from './operation-codec.ts';
import { packPreimages } from './packed-preimages.ts';
import { loadNativeRecovery, recoverPortably } from './recover-key.ts';
import { recoverSenders } from './recover-senders.ts';
import { createSealer } from './sealer.ts';
import { openSharedPreimages } from './shared-preimages.ts';
import { threadCpuMs, toThreadError } from './thread.ts';

const { module, rules, database } = workerData as BlockSetup;
const preimages = database && (await openSharedPreimages(database));
const packing = database && {
  keys: createDatabaseKeys(database.databaseKey),
  sealer: createSealer(database.databaseKey, randomBytes),
};
// The one that executes recovers nobody.
const recoverKey = (database === undefined && (await loadNativeRecovery())) || recoverPortably;
const machine: Machine = createMachine(module, rules, { get: (_kind, hash) => preimages?.get(hash) });

function execute({ number, request }: BlockTask & { kind: 'execute' }): RawExecution {
  if (packing === undefined) throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: 'it has no database' });
  const before = threadCpuMs();
  const { freshBytes, hash, ...executed } = machine.executeEncoded(request);
  const operations = encodeOperations(packPreimages({ number, hash: hexToBytes(hash) }, freshBytes, packing));
  return { ...executed, hash, operations, cpuMs: threadCpuMs() - before };
}

function run(task: BlockTask): unknown {
  switch (task.kind) {
    case 'execute':
      return execute(task);
    case 'decode':
      return machine.decodeEncoded(task.batch);
    case 'senders':
      return recoverSenders(machine, task.transactions, recoverKey);
  }
}

function reply(message: BlockReply): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', ({ id, task }: BlockRequest) => {
  try {
    reply({ kind: 'done', id, answer: run(task) });
  } catch (error) {
    reply({ kind: 'failed', id, error: toThreadError(error) });
  }
});
