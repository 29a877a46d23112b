/** The thread that seals and writes the index for many puts at a time. It holds the key of the values, in memory that its parent wipes. */
import { parentPort, workerData } from 'node:worker_threads';
import { createValueSealer } from '../../protocol/envelope/sealed-value.ts';
import { nodeEnvelopeCrypto } from '../node-envelope-crypto.ts';
import type { CrossedError, IndexReply, IndexRequest, IndexThreadData } from './index-thread.ts';
import { openLevel } from './level.ts';
import { unpackWrites } from './packed-writes.ts';

const MAX_CAUSES = 4;
const { folder, valueKey } = workerData as IndexThreadData;
const db = await openLevel(folder);

parentPort?.on('message', (request: IndexRequest) => {
  write(request).then(
    () => reply({ is: 'written' }),
    (error: unknown) => reply({ is: 'failed', causes: causesOf(error) }),
  );
});
reply({ is: 'ready' });

async function write({ memory, bytes, sync }: IndexRequest): Promise<void> {
  const packed = new Uint8Array(memory, 0, bytes);
  const { salt, writes } = unpackWrites(packed);
  const seal = createValueSealer(nodeEnvelopeCrypto, valueKey, salt);
  const operations = writes.map(({ type, key, value, nonce }) =>
    type === 'del' ? { type, key } : { type, key, value: seal({ place: key, value, nonce }) },
  );
  packed.fill(0);
  await db.batch(operations, { sync });
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
