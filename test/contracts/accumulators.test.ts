import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { getBytes, keccak256, ZeroHash } from 'ethers';
import { type InboxInput, trackInbox } from '../../appliance/rollup/derive/inbox-tracker.ts';
import type { Hex } from '../../protocol/brand.ts';

/** What Accumulators.t.sol replays on the contracts, and this file on the node's derivation. */
interface Step {
  readonly accumulator: Hex;
  readonly deposit?: { from: Hex; to: Hex; amountWei: string; blockNumber: number; timestamp: number };
  readonly batch?: { data: Hex; afterDelayedMessages: number };
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

function toInput({ deposit, batch, accumulator }: Step, state: TrackState, messages: readonly Hex[]): InboxInput {
  if (deposit !== undefined) {
    const { from, to, amountWei } = deposit;
    const beforeAcc = messages.at(-1) ?? (ZeroHash as Hex);
    return {
      kind: 'message',
      index: state.messageCount,
      beforeAcc,
      messageKind: 1,
      from,
      to,
      amountWei: BigInt(amountWei),
    };
  }
  assert(batch !== undefined, 'a step is a deposit or a batch');
  return {
    kind: 'batch',
    sequenceNumber: state.batchCount,
    beforeAcc: state.batchAcc,
    afterAcc: accumulator,
    dataHash: keccak256(batch.data) as Hex,
    afterDelayedMessages: BigInt(batch.afterDelayedMessages),
    data: getBytes(batch.data),
  };
}

test('derivation follows the accumulators that the contracts keep', async () => {
  let state = START;
  const messages: Hex[] = [];
  for (const step of steps) {
    const place = { number: BigInt(step.deposit?.blockNumber ?? 0), timestamp: BigInt(step.deposit?.timestamp ?? 0) };
    const input = toInput(step, state, messages);
    const tracked = await trackInbox(state, place, [input], async (index) => messages[Number(index)] ?? assert.fail());
    for (const { accumulator } of tracked.messages) messages.push(accumulator);
    assert.equal(step.deposit === undefined ? tracked.batchAcc : messages.at(-1), step.accumulator);
    const { messageCount, batchCount, batchAcc } = tracked;
    const messagesAllowed = input.kind === 'batch' ? input.afterDelayedMessages : state.messagesAllowed;
    state = { ...state, messageCount, batchCount, batchAcc, messagesAllowed };
  }
  assert.deepEqual([state.messageCount, state.batchCount], [3n, 4n]);
});
