import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rulesOf } from '../../../appliance/rollup/network-rules.ts';
import { parseUnsafeBlock } from '../../../protocol/rollup/unsafe-block.ts';
import { createTestNetwork, eventually, type RunningNode, type TestNetwork } from './test-network.ts';

let network: TestNetwork;
let peer: RunningNode;
const announced = new Map<bigint, string>();
let rules: ReturnType<typeof rulesOf>;
/** Blocks stay unposted: only the peer knows them. */
const more = { heartbeatMs: 40, batchIntervalMs: 600_000, peerWaitMs: 600_000 };

before(async () => {
  network = await createTestNetwork();
  rules = rulesOf(network.descriptor);
  peer = await network.startFollower('peer');
});

after(() => network?.stop());

/** Every signature that left the machine. */
function onAnnounced(envelope: Uint8Array): void {
  const { block, hash } = parseUnsafeBlock(envelope, rules);
  const { number } = block.header;
  const earlier = announced.get(number) ?? hash;
  announced.set(number, hash === earlier ? hash : 'two blocks');
}

const headOf = ({ rollup }: RunningNode): bigint => rollup.heads().unsafe.number;

/** What one has and the other lacks, as peers do by range. True once it has `least`. */
async function pull(to: RunningNode, from: RunningNode, least: bigint): Promise<boolean> {
  const envelopes = await from.rollup.unsafeRange(headOf(to) + 1n, 256);
  for (const envelope of envelopes) await to.rollup.acceptUnsafe(envelope);
  return headOf(to) >= least;
}

test('a sequencer whose home was put back to an older state signs no height again that a peer knows', async () => {
  const home = join(network.folder, 'sequencer');
  const copy = join(network.folder, 'older');
  const first = await network.startSequencer({ more, onAnnounced });
  await eventually('some blocks', () => pull(peer, first, 3n));
  await first.stop();
  await cp(home, copy, { recursive: true });

  const askPeers = async (): Promise<number> => 1;
  const second = await network.startSequencer({ more, onAnnounced, askPeers });
  const wanted = headOf(second) + 5n;
  await eventually('blocks that the copy does not have', () => pull(peer, second, wanted));
  await second.stop();
  await rm(home, { recursive: true });
  await cp(copy, home, { recursive: true });

  let silent = true;
  let asked = 0;
  const third = await network.startSequencer({
    more,
    onAnnounced,
    async askPeers() {
      asked += 1;
      if (silent) return 0;
      await pull(third, peer, 0n);
      return 1;
    },
  });
  const known = headOf(peer);
  const heights = announced.size;
  await eventually('it to ask peers', () => asked >= 3);
  assert.equal(announced.size, heights, 'signed before any peer was heard');
  silent = false;
  await eventually('new blocks', () => pull(peer, third, known + 2n));
  assert.deepEqual(
    // What left the machine last and reached nobody is nobody's knowledge.
    [...announced].filter(([number, hash]) => number <= known && hash === 'two blocks'),
    [],
  );
  await third.stop();
});
