import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZeroHash } from 'ethers';
import { createChainEngine } from '../../../../../appliance/rollup/chain-engine.ts';
import { MAX_ORIGIN_AGE } from '../../../../../appliance/rollup/derive/batch-rules.ts';
import { createDeriveStore, type L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import { createUnsafeIntake } from '../../../../../appliance/rollup/derive/unsafe-intake.ts';
import { discardOrphanedUnsafe, expireUnsafe } from '../../../../../appliance/rollup/derive/unsafe-origins.ts';
import { findUnsafeFault, MAX_CLOCK_AHEAD_S } from '../../../../../appliance/rollup/derive/unsafe-rules.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { hexToBytes } from '../../../../../protocol/rollup/bytes.ts';
import { encodeUnsafeBlock } from '../../../../../protocol/rollup/unsafe-block.ts';
import { addressOf, alice, CHAIN_ID, GENESIS, input, openChain, rules } from '../execute/chain-fixture.ts';

const sequencer = addressOf(alice);
const key = hexToBytes(alice.privateKey as Hex);
const T = GENESIS.timestamp;
const YEARS_5 = 5n * 365n * 86_400n;
const l1Hash = (number: bigint): Hex => `0x${number.toString(16).padStart(64, 'a')}`;

/** A follower that has derived from L1 blocks 7 and 8, one of the latter every 12 s, and a sequencer that signs anything. */
async function stand(clockS: bigint = T + 12n) {
  const [builder, follower] = [await openChain(), await openChain()];
  const effectsOf = () => ({ deposits: [], transactions: [], parameters: undefined, ignored: [] });
  const engine = createChainEngine({ ...follower, effectsOf }, () => assert.fail());
  const record = (number: bigint): L1Record => ({
    number,
    hash: l1Hash(number),
    timestamp: T + (number - 7n) * 12n,
    batchCount: 0n,
    batchAcc: ZeroHash as Hex,
    messageCount: 0n,
    messagesAllowed: 0n,
    safe: { ...engine.heads().safe, originNumber: 7n, messagesRead: 0n },
  });
  const store = createDeriveStore(engine, record(6n));
  for (const number of [7n, 8n]) await store.advance(record(number), []);
  const refused: string[] = [];
  let looks = 0;
  const l1 = { onLook: async (): Promise<void> => undefined };
  const intake = createUnsafeIntake(
    { chainId: CHAIN_ID, sequencer, rules },
    {
      engine,
      store,
      now: () => Number(clockS) * 1000,
      onRefused: (reason) => refused.push(reason),
      async lookAtL1() {
        looks += 1;
        await l1.onLook();
      },
    },
  );
  return {
    engine,
    store,
    intake,
    refused,
    record,
    l1,
    looks: () => looks,
    follower,
    /** Signs the next block of the builder's chain. */
    async announce(timestamp: bigint, originNumber: bigint, hash = l1Hash(originNumber)): Promise<Uint8Array> {
      const l1Origin = { number: originNumber, hash };
      const { block } = await builder.executor.build(input(0, [], { timestamp, l1Origin }));
      return encodeUnsafeBlock(block, { chainId: CHAIN_ID, key });
    },
    async [Symbol.asyncDispose]() {
      await builder[Symbol.asyncDispose]();
      await follower[Symbol.asyncDispose]();
    },
  };
}

test('a signed block dated five years ahead on an invented L1 block moves nothing', async () => {
  await using node = await stand();
  const future = await node.announce(T + YEARS_5, 1_000_000n);
  assert.equal(await node.intake.accept(future), 'ignore');
  assert.equal(node.engine.heads().unsafe.number, 0n);
  assert.equal(node.looks(), 1);
  assert.deepEqual(node.refused, ['origin-unknown']);
});

test('a block on an L1 block of another hash is not taken, and L1 is looked at', async () => {
  await using node = await stand();
  assert.equal(await node.intake.accept(await node.announce(T + 12n, 8n, l1Hash(99n))), 'ignore');
  assert.deepEqual(node.refused, ['origin-replaced']);
  assert.equal(node.engine.heads().unsafe.number, 0n);
});

test('a block on an L1 block that this node has not read yet is taken once it has', async () => {
  await using node = await stand(T + 24n);
  node.l1.onLook = () => node.store.advance(node.record(9n), []);
  assert.equal(await node.intake.accept(await node.announce(T + 24n, 9n)), 'accept');
  assert.equal(node.engine.heads().unsafe.number, 1n);
});

test('a block ahead of the own clock waits for L1; one that stands still with L1 is taken', async () => {
  await using node = await stand(T - 3_600n);
  assert.equal(await node.intake.accept(await node.announce(T + 12n, 8n)), 'accept');
  assert.equal(await node.intake.accept(await node.announce(T + 13n, 8n)), 'ignore');
  assert.deepEqual(node.refused, ['ahead-of-clock']);
});

test('the bounds of an unsafe block', () => {
  const context = { now: T, parent: { timestamp: T }, origin: { number: 8n, timestamp: T }, l1Head: { number: 8n } };
  const at = (timestamp: bigint, more: object = {}) => findUnsafeFault(timestamp, { ...context, ...more });
  assert.equal(at(T), undefined);
  assert.equal(at(T + MAX_CLOCK_AHEAD_S), undefined);
  assert.equal(at(T + MAX_CLOCK_AHEAD_S + 1n), 'ahead-of-clock');
  assert.equal(at(T - 1n), 'time');
  assert.equal(at(T + 1_800n, { now: T + 1_800n }), undefined);
  assert.equal(at(T + 1_801n, { now: T + 9_999n }), 'time');
  assert.equal(at(T, { l1Head: { number: 7n + MAX_ORIGIN_AGE } }), undefined);
  assert.equal(at(T, { l1Head: { number: 8n + MAX_ORIGIN_AGE } }), 'expired');
});

test('blocks that L1 has not confirmed while a batch could hold them are given up', async () => {
  await using node = await stand();
  for (const timestamp of [T + 12n, T + 13n]) {
    assert.equal(await node.intake.accept(await node.announce(timestamp, 8n)), 'accept');
  }
  assert.equal(await expireUnsafe(node.store, node.engine), 0);
  await node.store.advance(node.record(7n + MAX_ORIGIN_AGE), []);
  assert.equal(await expireUnsafe(node.store, node.engine), 0);
  await node.store.advance(node.record(8n + MAX_ORIGIN_AGE), []);
  assert.equal(await expireUnsafe(node.store, node.engine), 2);
  assert.equal(node.engine.heads().unsafe.number, 0n);
});

test('an unsafe block that an older version took on an invented L1 block does not survive a start', async () => {
  await using node = await stand();
  const l1Origin = { number: 1_000_000n, hash: l1Hash(5n) };
  await node.follower.executor.build(input(0, [], { timestamp: T + YEARS_5, l1Origin }));
  assert.deepEqual(await discardOrphanedUnsafe(node.store, node.engine), { settled: true, discarded: 1 });
  assert.equal(node.engine.heads().unsafe.number, 0n);
});
