/** A thread that runs one iteration of a dispute on the machine of docs/design/0031, and answers for any of its steps. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { openDisputeImage } from '../../../machine/tracer/image.ts';
import { openIteration } from '../../../machine/tracer/iteration.ts';
import { compilePoseidon2, createPoseidon2 } from '../../../machine/tracer/poseidon2.ts';
import { createTracer } from '../../../machine/tracer/tracer.ts';
import { translateImage } from '../../../machine/tracer/translate.ts';
import { openSharedPreimages } from '../execute/shared-preimages.ts';
import { toThreadError } from '../execute/thread.ts';
import type { TracerReply, TracerSetup, TracerTask } from './tracer-thread.ts';

const { files, place, config, rollupConfig, answers, database } = workerData as TracerSetup;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const preimages = database && (await openSharedPreimages(database));
const parts = {
  image: translateImage(openDisputeImage(files.elf, sha256)),
  poseidon2: createPoseidon2(compilePoseidon2(files.poseidon2, sha256)),
};
const find = (hash: Uint8Array): Uint8Array | undefined => preimages?.get(hash);
const tracer = createTracer(parts, openIteration(place, { config, rollupConfig, answers, find }));

function run(task: TracerTask): unknown {
  switch (task.kind) {
    case 'points':
      return tracer.tracePoints(task.from, task.width);
    case 'open':
      return tracer.openAt(task.step);
    case 'witness':
      return tracer.witnessAt(task.step);
  }
}

function reply(message: TracerReply): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (task: TracerTask) => {
  try {
    reply({ answer: run(task) });
  } catch (error) {
    reply({ error: toThreadError(error) });
  }
});
