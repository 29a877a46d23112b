import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import {
  isLeafOf,
  LEAF_BYTES,
  PIECE_BYTES,
  pieceHashes,
  proveLeaf,
  shardRoot,
  treeDepth,
} from '../../../../protocol/coding/shard-tree.ts';
import { bytesOf } from '../../coding/coding-fixture.ts';

function treeOf(leaves: number) {
  const shard = bytesOf(`tree ${leaves}`, leaves * LEAF_BYTES);
  const pieces = pieceHashes(shard);
  const shardBytes = shard.length;
  const root = shardRoot(shardBytes, pieces);
  const prove = (leaf: number) => {
    const start = Math.floor((leaf * LEAF_BYTES) / PIECE_BYTES) * PIECE_BYTES;
    return proveLeaf({ shardBytes, pieces }, leaf, shard.subarray(start, start + PIECE_BYTES));
  };
  return { shard, pieces, shardBytes, root, prove };
}

/** The definition, word for word, without pieces. */
function referenceRoot(shard: Uint8Array): Uint8Array {
  const hash = (...parts: Uint8Array[]) => keccak_256(Buffer.concat(parts));
  const leaves = shard.length / LEAF_BYTES;
  let width = 64;
  while (width < leaves) width *= 2;
  let level = Array.from({ length: width }, (_, i) =>
    i < leaves ? hash(Uint8Array.of(0), shard.subarray(i * 256, i * 256 + 256)) : hash(Uint8Array.of(2)),
  );
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, i) =>
      hash(Uint8Array.of(1), level[2 * i] as Uint8Array, level[2 * i + 1] as Uint8Array),
    );
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(shard.length));
  return hash(Uint8Array.of(3), length, level[0] as Uint8Array);
}

test('has the root of the definition at every shape of the tree', () => {
  for (const leaves of [1, 2, 63, 64, 65, 128, 129, 200, 257]) {
    const { shard, root } = treeOf(leaves);
    assert.deepEqual(root, referenceRoot(shard), `${leaves} leaves`);
  }
});

test('proves every leaf, with a path of the depth of the tree', () => {
  for (const leaves of [1, 64, 65, 200]) {
    const { root, shardBytes, prove } = treeOf(leaves);
    for (let leaf = 0; leaf < leaves; leaf++) {
      const proof = prove(leaf);
      assert.equal(proof.path.length, treeDepth(shardBytes));
      assert.ok(isLeafOf({ root, shardBytes }, leaf, proof), `leaf ${leaf} of ${leaves}`);
    }
  }
});

test('refuses a proof of which any bit is another, of another leaf, of another length', () => {
  const { root, shardBytes, prove } = treeOf(200);
  fc.assert(
    fc.property(fc.nat(199), fc.nat(), fc.nat(7), (leaf, byte, bit) => {
      const { leaf: bytes, path } = prove(leaf);
      const all = Buffer.concat([bytes, ...path]);
      const at = byte % all.length;
      all[at] = (all[at] ?? 0) ^ (1 << bit);
      const changed = {
        leaf: all.subarray(0, LEAF_BYTES),
        path: path.map((_, i) => all.subarray(LEAF_BYTES + i * 32, LEAF_BYTES + i * 32 + 32)),
      };
      assert.ok(!isLeafOf({ root, shardBytes }, leaf, changed));
    }),
    { seed: 5, numRuns: 300 },
  );
  const proof = prove(7);
  for (const leaf of [-1, 6, 8, 200, 1.5]) assert.ok(!isLeafOf({ root, shardBytes }, leaf, proof));
  for (const other of [shardBytes - LEAF_BYTES, shardBytes + LEAF_BYTES, 64 * LEAF_BYTES])
    assert.ok(!isLeafOf({ root, shardBytes: other }, 7, proof));
  assert.ok(!isLeafOf({ root, shardBytes }, 7, { ...proof, path: proof.path.slice(1) }));
  assert.ok(!isLeafOf({ root, shardBytes }, 7, { ...proof, path: [...proof.path.slice(1), new Uint8Array(31)] }));
});

test('takes no inner node and no place past the end for a leaf', () => {
  const { root, shardBytes, pieces, prove } = treeOf(200);
  assert.throws(() => prove(200), { code: 'CODING_INPUT_INVALID' });
  const node = new Uint8Array(LEAF_BYTES);
  node.set(pieces[0] as Uint8Array);
  node.set(pieces[1] as Uint8Array, 32);
  for (let index = 0; index < 4; index++)
    assert.ok(!isLeafOf({ root, shardBytes }, index, { leaf: node, path: prove(0).path }));
});

test('refuses lengths that no shard has and pieces of another shard', () => {
  for (const bytes of [0, 255, 257, 2 ** 27, 1.5, Number.NaN])
    assert.throws(() => shardRoot(bytes, []), { code: 'CODING_INPUT_INVALID' });
  const { pieces } = treeOf(200);
  assert.throws(() => shardRoot(64 * LEAF_BYTES, pieces), { code: 'CODING_INPUT_INVALID' });
  assert.throws(
    () =>
      shardRoot(
        200 * LEAF_BYTES,
        pieces.map((hash) => hash.subarray(1)),
      ),
    { code: 'CODING_INPUT_INVALID' },
  );
});
