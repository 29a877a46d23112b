import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hexlify, Wallet } from 'ethers';
import type { Rollup } from '../../../appliance/rollup/index.ts';
import { batchPeers } from '../../../appliance/wire/rollup-peers.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { decodeBatch } from '../../oracle/decode-batch.ts';
import {
  connected,
  RegistryDouble,
  startNode,
  type TestNode,
  type TestNodeInput,
} from '../../unit/appliance/p2p/hosts.ts';
import { createTestNetwork, eventually, freePort, type SequencerNode, type TestNetwork } from './test-network.ts';

let network: TestNetwork;
let sequencer: SequencerNode;
const hosts: TestNode[] = [];

before(async () => {
  network = await createTestNetwork();
  sequencer = await network.startSequencer({ more: { dataAvailability: 'auto' } });
});
after(async () => {
  await Promise.all(hosts.map(({ p2p }) => p2p.stop()));
  await network.stop();
});

async function call(rollup: Rollup, method: string, ...params: unknown[]): Promise<unknown> {
  const { result, error } = (await rollup.rpc({ jsonrpc: '2.0', id: 1, method, params })) as {
    result?: unknown;
    error?: unknown;
  };
  assert.equal(error, undefined);
  return result;
}

/** Sends a transfer and waits until L1 has it; resolves with the safe head. */
async function transfer(nonce: number): Promise<{ number: bigint; hash: string }> {
  const [auditor] = network.l1.accounts.auditors;
  const wallet = new Wallet(hexlify(auditor.key));
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gasLimit: 21_000 };
  const to = Wallet.createRandom().address;
  // The auditors send by themselves: the pool says which nonce is next.
  const next = Number(await call(sequencer.rollup, 'eth_getTransactionCount', wallet.address, 'pending'));
  const tx = { type: 2, chainId: 6328270n, nonce: Math.max(nonce, next), to, value: 1n, ...fees };
  await call(sequencer.rollup, 'eth_sendRawTransaction', await wallet.signTransaction(tx));
  const { number } = sequencer.rollup.heads().unsafe;
  return eventually(
    'a safe block with the transfer',
    () => {
      const { safe } = sequencer.rollup.heads();
      return safe.number > number && safe;
    },
    60_000,
  );
}

interface ShownBatch {
  readonly source: string;
  readonly data: `0x${string}` | null;
  readonly versionedHashes: readonly string[];
}

const followed = (rollup: Rollup, hash: string) =>
  eventually('the same safe head', () => rollup.heads().safe.hash === hash);

/** Blocks are there before the batch that gave them is recorded. */
const firstBatch = (rollup: Rollup): Promise<ShownBatch> =>
  eventually('batch 0', async () => ((await call(rollup, 'nectar_getBatch', '0x0')) as ShownBatch | null) ?? undefined);

test('by price, batches go out in blobs, and whoever has L1 and a beacon node derives them', async () => {
  const safe = await transfer(0);
  const follower = await network.startFollower('with-beacon');
  await followed(follower.rollup, safe.hash);
  const batch = await firstBatch(follower.rollup);
  assert.equal(batch.source, 'blobs');
  assert.equal(batch.versionedHashes.length, 1);
  assert.ok(batch.data && (decodeBatch(hexToBytes(batch.data))?.length ?? 0) > 0, 'its bytes are the batch');
  assert.equal(await call(follower.rollup, 'nectar_getBatch', '0xffff'), null);
  await follower.stop();
});

test('while nobody gives the blobs the node waits by name, and goes on once a peer has them', async () => {
  const { hash } = sequencer.rollup.heads().safe;
  const dead = { beaconUrls: [`http://127.0.0.1:${await freePort()}`] };
  const alone = await network.startFollower('without-beacon', dead);
  const reason = await eventually('the reason', () => {
    const standing = alone.rollup.readiness();
    return !standing.ready && standing.reason.startsWith('waiting for the data of batch 0') && standing.reason;
  });
  assert.match(reason, /beacon node 1: nothing listens there; no connected peer has it/);
  assert.equal(alone.rollup.heads().safe.number, 0n);
  await alone.stop();

  let lies = 0;
  const peers = {
    async ask(wanted: { dataHash: `0x${string}` }, take: (encoded: Uint8Array) => Promise<boolean>): Promise<void> {
      const encoded = await sequencer.rollup.keptBatch(wanted);
      assert.ok(encoded, 'the sequencer keeps what it derived');
      const lie = Uint8Array.from(encoded);
      lie[60] = (lie[60] ?? 0) ^ 1;
      if (await take(lie)) lies += 1;
      await take(encoded);
    },
  };
  const helped = await network.startFollower('without-beacon', dead, { batchPeers: peers });
  await followed(helped.rollup, hash);
  assert.equal(lies, 0, 'a blob that a peer changed is not taken');
});

test('over libp2p a node takes from the archive of another what L1 has forgotten, and nothing that a liar gives', async () => {
  const { hash } = sequencer.rollup.heads().safe;
  const keeper = await network.startFollower('keeper');
  await followed(keeper.rollup, hash);
  const registry = new RegistryDouble();
  const host = async (seed: number, batches?: TestNodeInput['batches']): Promise<TestNode> => {
    const node = await startNode({ seed, registry, ...(batches && { batches }) });
    hosts.push(node);
    return node;
  };
  const lies: Uint8Array[] = [];
  const liar = await host(41, {
    async find(wanted) {
      const truth = await keeper.rollup.keptBatch(wanted);
      assert.ok(truth);
      // One bit of the blob, its end, all of it.
      const lie = lies.length % 3 === 0 ? Uint8Array.from(truth) : truth.subarray(0, lies.length % 3 === 1 ? -1 : 0);
      if (lie.length === truth.length) lie[60] = (lie[60] ?? 0) ^ 1;
      lies.push(lie);
      return lie;
    },
  });
  // Silent until every lie was told, whoever is asked first.
  const honest = await host(42, {
    find: async (wanted) => (lies.length < 3 ? undefined : keeper.rollup.keptBatch(wanted)),
  });
  const asker = await host(43);
  await eventually('the connections', () => connected(asker, liar) && connected(asker, honest));

  const dead = { beaconUrls: [`http://127.0.0.1:${await freePort()}`] };
  const late = await network.startFollower('late', dead, { batchPeers: batchPeers(() => asker.p2p) });
  await followed(late.rollup, hash);
  assert.ok(lies.length >= 3);
  const taken = await firstBatch(late.rollup);
  assert.equal(taken.source, 'blobs');
  assert.deepEqual(taken, await firstBatch(keeper.rollup));
});
