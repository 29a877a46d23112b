import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, keccak256, solidityPacked, solidityPackedKeccak256, TypedDataEncoder } from 'ethers';
import type { Hex } from '../../../../protocol/brand.ts';
import { PREDEPLOYS } from '../../../../protocol/rollup/genesis.ts';
import { dealId, dealSetHash, dealSetOf, termsHash } from '../../../../protocol/storage/deal.ts';
import { createShardSet, shardSetPath, shardSetRoot } from '../../../../protocol/storage/shard-set.ts';
import { disk } from './storage-fixture.ts';

const CHAIN_ID = 4_242n;
const DOMAIN = {
  name: 'Nectar StorageDeals',
  version: '1',
  chainId: CHAIN_ID,
  verifyingContract: PREDEPLOYS.storageDeals,
};
const [OWNER, HOLDER, PAYOUT, TOKEN] = ['11', '22', '33', '44'].map((byte) => `0x${byte.repeat(20)}`) as [
  Hex,
  Hex,
  Hex,
  Hex,
];
const fields = (text: string) =>
  text.split(',').map((field) => ({ type: field.split(' ')[0] ?? '', name: field.split(' ')[1] ?? '' }));

test('what both sign is what EIP-712 makes of it, by another implementation', () => {
  const terms = {
    ...{ owner: OWNER, holder: HOLDER, payout: PAYOUT, token: TOKEN },
    ...{ ratePerTiBDay: 7n ** 30n, generation: 3, validUntil: 1_800_000_000n },
  };
  const types = fields(
    'address owner,address holder,address payout,address token,uint128 ratePerTiBDay,uint32 generation,uint64 validUntil',
  );
  assert.equal(termsHash(CHAIN_ID, terms), TypedDataEncoder.hash(DOMAIN, { Terms: types }, terms));
  const set = {
    deal: dealId(OWNER, HOLDER),
    generation: 3,
    seq: 9n,
    root: `0x${'5a'.repeat(32)}` as Hex,
    size: 1n << 50n,
  };
  const setTypes = fields('bytes32 deal,uint32 generation,uint64 seq,bytes32 root,uint64 size');
  assert.equal(dealSetHash(CHAIN_ID, set), TypedDataEncoder.hash(DOMAIN, { Set: setTypes }, set));
});

test('an empty set has no root and no bytes', () => {
  assert.deepEqual(dealSetOf(createShardSet([])), { root: `0x${'00'.repeat(32)}`, size: 0n });
});

for (const count of [1, 2, 3, 5, 8, 13])
  test(`the way from each of ${count} shards leads to the root, and says where the shard begins`, () => {
    const { set } = disk(Array.from({ length: count }, (_, index) => 1 + ((index * 37) % 70)));
    for (const [index, shard] of set.shards.entries()) {
      let node = solidityPackedKeccak256(
        ['bytes1', 'bytes32', 'bytes32', 'uint64'],
        ['0x10', shard.id, shard.root, shard.bytes / 256],
      );
      let [start, total] = [0, shard.bytes / 256];
      for (const { hash, leaves, isLeft } of shardSetPath(set, shard)) {
        const own = solidityPacked(['bytes32', 'uint64'], [node, total]);
        const other = solidityPacked(['bytes32', 'uint64'], [hash, leaves]);
        node = keccak256(concat(['0x11', ...(isLeft ? [other, own] : [own, other])]));
        if (isLeft) start += leaves;
        total += leaves;
      }
      assert.equal(node, `0x${Buffer.from(shardSetRoot(set)).toString('hex')}`);
      assert.deepEqual([start, total], [set.starts[index], set.leaves]);
    }
  });

test('a shard of another set has no way to the root', () => {
  const { set } = disk([1, 2]);
  const [other] = disk([3]).set.shards;
  assert.ok(other);
  assert.throws(() => shardSetPath(set, other), { code: 'CODING_INPUT_INVALID' });
});
