/** Says within which limits it runs. */
import { parentPort, resourceLimits } from 'node:worker_threads';

parentPort?.on('message', () => parentPort?.postMessage(resourceLimits));
