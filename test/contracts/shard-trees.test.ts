import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { getBytes, hexlify, keccak256, solidityPacked } from 'ethers';
import { LEAF_BYTES, pieceHashes, shardRoot } from '../../protocol/coding/shard-tree.ts';

const WORD_BYTES = 32;

interface Vectors {
  /** Of each shard. Word w of leaf i of shard s is keccak256 of the three numbers, 32 bytes each. */
  readonly leaves: readonly number[];
  readonly roots: readonly string[];
}

function shardOf(shard: number, leaves: number): Uint8Array {
  const bytes = new Uint8Array(leaves * LEAF_BYTES);
  for (let leaf = 0; leaf < leaves; leaf++)
    for (let word = 0; word < LEAF_BYTES / WORD_BYTES; word++) {
      const packed = solidityPacked(['uint256', 'uint256', 'uint256'], [shard, leaf, word]);
      bytes.set(getBytes(keccak256(packed)), leaf * LEAF_BYTES + word * WORD_BYTES);
    }
  return bytes;
}

test("a shard's tree is the one that StorageDeals checks leaves against", () => {
  const file = new URL('vectors/shards.json', import.meta.url);
  const { leaves, roots } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
  assert.equal(roots.length, leaves.length);
  for (const [shard, count] of leaves.entries()) {
    const bytes = shardOf(shard, count);
    assert.equal(hexlify(shardRoot(bytes.length, pieceHashes(bytes))), roots[shard], `shard ${shard}`);
  }
});
