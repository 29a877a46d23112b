/** The thread that hashes full blocks. It sees ciphertext only, and holds nothing that would be lost. */
import { hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { HashReply, HashRequest } from './hash-thread.ts';

parentPort?.on('message', ({ id, bytes }: HashRequest) => {
  const reply: HashReply = { id, digest: hash('sha256', bytes, 'buffer') };
  parentPort?.postMessage(reply);
});
