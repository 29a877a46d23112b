import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import {
  appendLeafHash,
  type CompactRange,
  EMPTY_RANGE,
  merkleRoot,
  rangeRoot,
} from '../../../../protocol/merkle/compact-range.ts';
import { EMPTY_ROOT, leafHash, nodeHash } from '../../../../protocol/merkle/hash.ts';
import { VECTORS, vectorLeaf } from './vectors.ts';

const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(hexToBytes);
const CT_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('gives the roots of the Certificate Transparency reference tree', () => {
  CT_ROOTS.forEach((root, i) => {
    assert.equal(bytesToHex(merkleRoot(CT_LEAVES.slice(0, i + 1))), root);
  });
});

test('gives the hash of the empty string for the empty tree', () => {
  assert.equal(bytesToHex(EMPTY_ROOT), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.deepEqual(rangeRoot(EMPTY_RANGE), EMPTY_ROOT);
});

test('gives every root that another implementation gives, up to 70,000 leaves', () => {
  const roots = new Map(VECTORS.roots.map(({ size, root }) => [size, root]));
  let range: CompactRange = EMPTY_RANGE;
  let compared = 0;
  for (let i = 0; i < 70_000; i++) {
    range = appendLeafHash(range, leafHash(vectorLeaf(i)));
    const expected = roots.get(i + 1);
    if (expected === undefined) continue;
    assert.equal(bytesToHex(rangeRoot(range)), expected, `size ${i + 1}`);
    compared += 1;
  }
  assert.equal(compared, VECTORS.roots.length);
});

test('leaves the older range valid after an append', () => {
  const three = CT_LEAVES.slice(0, 3).reduce((range, leaf) => appendLeafHash(range, leafHash(leaf)), EMPTY_RANGE);
  appendLeafHash(three, leafHash(CT_LEAVES[3] as Uint8Array));
  assert.equal(bytesToHex(rangeRoot(three)), CT_ROOTS[2]);
});

test('equals the recursive definition of RFC 6962 for any leaves', () => {
  const mth = (leaves: Uint8Array[]): Uint8Array => {
    if (leaves.length === 1) return leafHash(leaves[0] as Uint8Array);
    let k = 1;
    while (k * 2 < leaves.length) k *= 2;
    return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
  };
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 70 }), (leaves) => {
      assert.deepEqual(merkleRoot(leaves), mth(leaves));
    }),
  );
});

test('a node takes hashes of 32 bytes only: others would leave the border between them open', () => {
  const hash = new Uint8Array(32).fill(1);
  for (const length of [0, 31, 33]) {
    assert.throws(() => nodeHash(new Uint8Array(length), hash), RangeError);
    assert.throws(() => nodeHash(hash, new Uint8Array(length)), RangeError);
  }
});

test('a hash that is given away stays what it is when others are made', () => {
  const leaves = Array.from({ length: 200 }, (_, i) => new Uint8Array(i).fill(i));
  const made = leaves.map((leaf) => leafHash(leaf));
  const nodes = made.map((hash, i) => nodeHash(hash, made[made.length - 1 - i] ?? hash));
  for (const [i, leaf] of leaves.entries()) {
    assert.deepEqual(made[i], new Uint8Array(createHash('sha256').update(Uint8Array.of(0)).update(leaf).digest()));
    const [left, right] = [made[i] ?? leaf, made[made.length - 1 - i] ?? leaf];
    const input = Buffer.concat([Uint8Array.of(1), left, right]);
    assert.deepEqual(nodes[i], new Uint8Array(createHash('sha256').update(input).digest()));
  }
});
