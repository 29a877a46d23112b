import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concat, keccak256, ZeroHash } from 'ethers';
import { type InboxInput, trackInbox } from '../../appliance/rollup/derive/inbox-tracker.ts';
import type { Hex } from '../../protocol/brand.ts';

interface Place {
  readonly blockNumber: number;
  readonly timestamp: number;
  readonly parentHash?: Hex;
}

/** What Accumulators.t.sol replays on the contracts, and this file on the node's derivation. */
interface Step {
  readonly accumulator: Hex;
  readonly message?: Place & { kind: number; sender: Hex; data: Hex };
  readonly batch?: Place & { data?: Hex; versionedHashes?: readonly Hex[]; delayedCount: number };
}

const vectors = new URL('vectors/accumulators.json', import.meta.url);
const { steps } = JSON.parse(readFileSync(vectors, 'utf8')) as { steps: readonly Step[] };

type TrackState = Parameters<typeof trackInbox>[0];
const START: TrackState = {
  number: 0n,
  hash: ZeroHash as Hex,
  timestamp: 0n,
  batchCount: 0n,
  batchAcc: ZeroHash as Hex,
  messageCount: 0n,
  messagesAllowed: 0n,
  safe: { number: 0n, hash: ZeroHash as Hex, timestamp: 0n } as TrackState['safe'],
};

function toInput({ message, batch, accumulator }: Step, state: TrackState, messages: readonly Hex[]): InboxInput {
  if (message !== undefined) {
    const { kind: messageKind, sender, data } = message;
    const beforeAcc = messages.at(-1) ?? (ZeroHash as Hex);
    return { kind: 'message', index: state.messageCount, beforeAcc, messageKind, sender, data };
  }
  assert(batch !== undefined, 'a step is a message or a batch');
  const content = batch.data ?? concat(batch.versionedHashes ?? []);
  return {
    kind: 'batch',
    sequenceNumber: state.batchCount,
    beforeAcc: state.batchAcc,
    afterAcc: accumulator,
    dataHash: keccak256(content) as Hex,
    delayedCount: BigInt(batch.delayedCount),
    source: batch.data === undefined ? 'blobs' : 'calldata',
  };
}

test('derivation follows the accumulators that the contracts keep', async () => {
  let state = START;
  const messages: Hex[] = [];
  for (const step of steps) {
    const { blockNumber, timestamp, parentHash } = step.message ?? step.batch ?? assert.fail();
    const place = {
      number: BigInt(blockNumber),
      timestamp: BigInt(timestamp),
      parentHash: parentHash ?? ZeroHash,
    };
    const input = toInput(step, state, messages);
    const tracked = await trackInbox(state, place, [input], async (index) => messages[Number(index)] ?? assert.fail());
    for (const { accumulator } of tracked.messages) messages.push(accumulator);
    assert.equal(step.message === undefined ? tracked.batchAcc : messages.at(-1), step.accumulator);
    const { messageCount, batchCount, batchAcc } = tracked;
    const messagesAllowed = input.kind === 'batch' ? input.delayedCount : state.messagesAllowed;
    state = { ...state, messageCount, batchCount, batchAcc, messagesAllowed };
  }
  assert.deepEqual([state.messageCount, state.batchCount], [4n, 6n]);
});
