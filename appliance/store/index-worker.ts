/** The thread that seals and writes the index for many puts at a time. It holds the key of the values, in memory that its parent wipes. */
import { parentPort, workerData } from 'node:worker_threads';
import { createValueSealer, SEALED_VALUE_OVERHEAD_BYTES } from '../../protocol/envelope/sealed-value.ts';
import { nodeEnvelopeCrypto } from '../node-envelope-crypto.ts';
import type { CrossedError, IndexReply, IndexRequest, IndexThreadData } from './index-thread.ts';
import { openLevel } from './level.ts';
import { type UnpackedWrite, unpackWrites } from './packed-writes.ts';

const MAX_CAUSES = 4;
const FIRST_ROOM_BYTES = 512 * 1024;
const { folder, valueKey } = workerData as IndexThreadData;
/** Ciphertext only. One write comes after the other, so that the next one may take the same memory. */
let memory = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
const db = await openLevel(folder);

parentPort?.on('message', (request: IndexRequest) => {
  write(request).then(
    () => reply({ is: 'written' }),
    (error: unknown) => reply({ is: 'failed', causes: causesOf(error) }),
  );
});
reply({ is: 'ready' });

async function write({ memory: shared, bytes, sync }: IndexRequest): Promise<void> {
  const packed = new Uint8Array(shared, 0, bytes);
  const { salt, writes } = unpackWrites(packed);
  const seal = createValueSealer(nodeEnvelopeCrypto, valueKey, salt);
  const room = roomFor(writes);
  let taken = 0;
  const operations = writes.map(({ type, key, value, nonce }) => {
    if (type === 'del') return { type, key };
    const begin = taken;
    taken += SEALED_VALUE_OVERHEAD_BYTES + value.length;
    return { type, key, value: seal({ place: key, value, nonce, room: room.subarray(begin, taken) }) };
  });
  packed.fill(0);
  await db.batch(operations, { sync });
}

/** Of all sealed values of a batch. */
function roomFor(writes: readonly UnpackedWrite[]): Buffer {
  const bytes = writes.reduce((sum, { value }) => sum + SEALED_VALUE_OVERHEAD_BYTES + value.length, 0);
  if (bytes > memory.length) memory = Buffer.allocUnsafeSlow(bytes);
  return memory;
}

function reply(reply: IndexReply): void {
  parentPort?.postMessage(reply);
}

function causesOf(error: unknown): CrossedError {
  const causes: CrossedError[number][] = [];
  for (let cause = error; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    causes.push({ message, ...(code === undefined ? {} : { code }) });
  }
  return causes;
}
