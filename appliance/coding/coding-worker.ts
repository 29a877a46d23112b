/** The thread that codes segments. It sees ciphertext and shard keys, and holds nothing that would be lost. */
import { parentPort } from 'node:worker_threads';
import { createCoder } from '../../coding/host/coder.ts';
import { createSegmentCoder, type SegmentCoder } from '../../coding/host/segment-coder.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { loadCoding } from './coding-file.ts';
import type { CodingReply, CodingRequest } from './coding-thread.ts';
import { nodeShardCrypto } from './shard-crypto.ts';

let coder: SegmentCoder | undefined;

function answer({ work }: CodingRequest): unknown {
  coder ??= createSegmentCoder(createCoder(loadCoding()), nodeShardCrypto);
  if (work.name === 'encode') return coder.encode(...work.given);
  if (work.name === 'pieces') return coder.pieces(...work.given);
  return work.name === 'read' ? coder.read(...work.given) : coder.repair(...work.given);
}

parentPort?.on('message', (request: CodingRequest) => {
  const { id } = request;
  try {
    parentPort?.postMessage({ id, done: answer(request) } satisfies CodingReply);
  } catch (error) {
    if (!isNectarError(error)) throw error;
    parentPort?.postMessage({ id, refused: { code: error.code, data: error.data } } satisfies CodingReply);
  }
});
