/** A thread that holds a machine: executes blocks over the open database, or derives their inputs and recovers senders. It writes nothing. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { openPreimages } from '../../../machine/host/given-preimages.ts';
import type { Preimages } from '../../../machine/host/instance.ts';
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
/** What the task in hand was given to read. */
let given: Required<Preimages> | undefined;
const machine: Machine = createMachine(module, rules, {
  get: (kind, hash) => (given === undefined ? preimages?.get(hash) : given.get(kind, hash)),
  getInbox: (kind, hash) => given?.getInbox(kind, hash),
});

function execute({ number, request }: BlockTask & { kind: 'execute' }): RawExecution {
  if (packing === undefined) throw new NectarError('ROLLUP_MACHINE_INVALID', { reason: 'it has no database' });
  const before = threadCpuMs();
  const { freshBytes, hash, ...executed } = machine.executeEncoded(request);
  const operations = encodeOperations(packPreimages({ number, hash: hexToBytes(hash) }, freshBytes, packing));
  return { ...executed, hash, operations, cpuMs: threadCpuMs() - before };
}

function deriveInputs({ place, preimages: list }: BlockTask & { kind: 'inputs' }): Uint8Array {
  given = openPreimages(list);
  try {
    return machine.deriveInputsEncoded(place);
  } finally {
    given = undefined;
  }
}

function run(task: BlockTask): unknown {
  switch (task.kind) {
    case 'execute':
      return execute(task);
    case 'inputs':
      return deriveInputs(task);
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
