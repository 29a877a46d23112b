import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBlock } from '@ethereumjs/block';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { addressOf, alice, bob, ETHER, input, openChain, rules, transfer } from './chain-fixture.ts';

test('a block that the sequencer built is the same block when a follower imports it', async () => {
  await using sequencer = await openChain();
  await using follower = await openChain();
  const { block, dropped } = await sequencer.executor.build(
    input(1, [await transfer(alice, 0), await transfer(alice, 9)]),
  );
  assert.deepEqual(dropped, [{ index: 1, obstacle: 'nonce-high' }]);
  await follower.executor.importUnsafe(block);
  assert.deepEqual(follower.executor.heads().unsafe, sequencer.executor.heads().unsafe);
  assert.equal(follower.executor.heads().safe.number, 0n);
});

test('the heads, records and blocks are there after a restart', async () => {
  await using chain = await openChain();
  await chain.executor.appendSafe(input(1, [await transfer(alice, 0)]), new Map([['cursor', Uint8Array.of(1, 2)]]));
  await chain.executor.build(input(2));
  const before = chain.executor.heads();
  await chain.reopen();
  assert.deepEqual(chain.executor.heads(), before);
  assert.deepEqual(await chain.executor.record('cursor'), Uint8Array.of(1, 2));
  assert.equal((await chain.database.block(before.safe.hash))?.transactions.length, 1);
  await chain.executor.build(input(3, [await transfer(alice, 1)]));
});

test('an unsafe block with what L1 says is promoted, one that disagrees is replaced with all that follow', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  await chain.executor.build(input(1, [raw]));
  const second = await chain.executor.build(input(2, [await transfer(alice, 1)]));
  await chain.executor.build(input(3));
  const promoted = await chain.executor.appendSafe(input(1, [raw]));
  assert.equal(promoted.replaced, false);
  assert.equal(chain.executor.heads().unsafe.number, 3n);
  const other = await chain.executor.appendSafe(input(2, [await transfer(bob, 0)]));
  assert.equal(other.replaced, true);
  assert.notEqual(other.ref.hash, second.hash);
  assert.deepEqual(chain.executor.heads().unsafe, other.ref);
  assert.equal(await chain.database.canonicalHash(3n), undefined);
  const gone = second.receipts[0]?.transactionHash ?? '0x';
  assert.equal(await chain.database.transaction(gone), undefined);
});

test('a batch with an invalid transaction still promotes the block that dropped it', async () => {
  await using chain = await openChain();
  const raw = await transfer(alice, 0);
  await chain.executor.build(input(1, [raw]));
  const appended = await chain.executor.appendSafe(input(1, [Uint8Array.of(1, 2, 3), raw]));
  assert.deepEqual(appended, {
    ref: chain.executor.heads().unsafe,
    replaced: false,
    dropped: [{ index: 0, obstacle: 'undecodable' }],
  });
});

test('deposits are credited and counted', async () => {
  await using chain = await openChain();
  const deposits = [{ index: 0n, to: addressOf(bob), amountWei: 5n * ETHER }];
  const { block } = await chain.executor.build(input(1, [], { deposits, delayedMessages: 2 }));
  assert.equal(block.withdrawals?.[0]?.amount, 5_000_000_000n);
  await assert.rejects(chain.executor.build(input(2, [], { deposits, delayedMessages: 1 })), (error) =>
    isNectarError(error, 'ROLLUP_BLOCK_INPUT_INVALID'),
  );
});

test('refuses a block that is not what its inputs give, and one that does not build on the head', async () => {
  await using chain = await openChain();
  await using other = await openChain();
  const { block } = await other.executor.build(input(1, [await transfer(alice, 0)]));
  const lie = createBlock(
    {
      header: { ...block.header, stateRoot: new Uint8Array(32) },
      transactions: [...block.transactions],
      withdrawals: [],
    },
    { common: rules },
  );
  await assert.rejects(chain.executor.importUnsafe(lie), (error) => isNectarError(error, 'ROLLUP_BLOCK_MISMATCH'));
  assert.equal(chain.executor.heads().unsafe.number, 0n);
  const { block: next } = await other.executor.build(input(2));
  await assert.rejects(chain.executor.importUnsafe(next), (error) => isNectarError(error, 'ROLLUP_BLOCK_DETACHED'));
});

test('after a rewind the same blocks can be built again', async () => {
  await using chain = await openChain();
  const hashes: string[] = [];
  for (let i = 0; i < 5; i += 1)
    hashes.push((await chain.executor.appendSafe(input(i, [await transfer(alice, i)]))).ref.hash);
  await chain.executor.setHeads({ finalized: 4n });
  await chain.executor.rewind(2n, new Map([['cursor', undefined]]));
  const { unsafe, safe, finalized } = chain.executor.heads();
  assert.deepEqual([unsafe.number, safe.number, finalized.number], [2n, 2n, 2n]);
  const again = await chain.executor.appendSafe(input(2, [await transfer(alice, 2)]));
  assert.equal(again.ref.hash, hashes[2]);
});

test('a rewind that has no block to remove writes its records all the same', async () => {
  await using chain = await openChain();
  await chain.executor.rewind(0n, new Map([['cursor', Uint8Array.of(1)]]));
  assert.deepEqual(await chain.executor.record('cursor'), Uint8Array.of(1));
});
