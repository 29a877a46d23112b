/**
 * The thread that writes down and seals the events of many appends at a time. It holds the key of the bodies, in memory that its
 * parent wipes, and decides nothing: the place of each entry, the time and all randomness are given to it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AppendReply, AppendRequest, AppendThreadData } from './append-thread.ts';
import type { AuditInput } from './audit-input.ts';
import { createBodySealer } from './body-seal.ts';
import { prepareEntry } from './event.ts';
import { makeGroup } from './make-group.ts';

const { bodyKey, origin, maxBodyBytes } = workerData as AppendThreadData;
let sealedAs = '';
let random: Uint8Array = new Uint8Array(0);
const draw = (length: number): Uint8Array => {
  if (random.length < length) throw new RangeError('not enough randomness');
  const drawn = random.subarray(0, length);
  random = random.subarray(length);
  return drawn;
};
const sealer = createBodySealer(bodyKey, { sealedAs: () => sealedAs }, draw);

parentPort?.on('message', (request: AppendRequest) => {
  ({ sealedAs, random } = request);
  const events = JSON.parse(`[${request.events.join(',')}]`) as AuditInput[];
  const entries = events.map((event, i) =>
    prepareEntry(event, { origin, maxBodyBytes, time: request.times[i] ?? 0, randomBytes: draw }),
  );
  const { bytes, leaves } = makeGroup(request.first, entries, sealer);
  const reply: AppendReply = {
    bytes: own(bytes),
    leaves: own(Buffer.concat(leaves.map(({ leaf }) => leaf))),
    lengths: leaves.map(({ leaf }) => leaf.length),
    hashes: own(Buffer.concat(leaves.map(({ leafHash }) => leafHash))),
  };
  parentPort?.postMessage(reply, [reply.bytes.buffer, reply.leaves.buffer, reply.hashes.buffer]);
});
parentPort?.postMessage('ready');

/** Small buffers are parts of one that others have parts of, too: what is handed over may be no such part. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
