import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { isNectarError } from '../../../../protocol/errors.ts';
import { merkleRoot } from '../../../../protocol/merkle/compact-range.ts';
import { leafHash } from '../../../../protocol/merkle/hash.ts';
import {
  consistencyRanges,
  inclusionRanges,
  proveConsistency,
  proveInclusion,
  rangeNodes,
} from '../../../../protocol/merkle/prove.ts';
import { type TreeHead, verifyConsistency, verifyInclusion } from '../../../../protocol/merkle/verify.ts';
import { VECTORS, vectorLeaf, vectorRoot } from './vectors.ts';

const leavesTo = (size: number): Uint8Array[] => Array.from({ length: size }, (_, i) => vectorLeaf(i));
const headOf = (size: number): TreeHead => ({ size, root: merkleRoot(leavesTo(size)) });
const refusesInclusion = (run: () => unknown): void =>
  assert.throws(run, (error) => isNectarError(error, 'AUDIT_INCLUSION_INVALID'));
const refusesConsistency = (run: () => unknown): void =>
  assert.throws(run, (error) => isNectarError(error, 'AUDIT_CONSISTENCY_INVALID'));

test('proves inclusion as another implementation does, and verifies its proofs', () => {
  for (const { size, index, path } of VECTORS.inclusion) {
    if (size <= 1000)
      assert.deepEqual(proveInclusion(leavesTo(size), index).map(bytesToHex), path, `${index} in ${size}`);
    const proof = path.map((hash) => hexToBytes(hash));
    const root =
      size <= 40 || VECTORS.roots.some((entry) => entry.size === size) ? vectorRoot(size) : merkleRoot(leavesTo(size));
    verifyInclusion({ index, hash: leafHash(vectorLeaf(index)) }, proof, { size, root });
  }
});

test('proves consistency as another implementation does, and verifies its proofs', () => {
  for (const { first, second, path } of VECTORS.consistency) {
    if (second <= 1000)
      assert.deepEqual(proveConsistency(leavesTo(second), first).map(bytesToHex), path, `${first} to ${second}`);
    verifyConsistency(
      { size: first, root: vectorRoot(first) },
      { size: second, root: vectorRoot(second) },
      path.map((hash) => hexToBytes(hash)),
    );
  }
});

test('verifies proofs of a Certificate Transparency log', () => {
  const { argon2020: log } = VECTORS;
  const head = { size: log.size, root: hexToBytes(log.root) };
  verifyInclusion(
    { index: log.index, hash: hexToBytes(log.leafHash) },
    log.path.map((hash) => hexToBytes(hash)),
    head,
  );
  verifyConsistency(
    { size: log.firstSize, root: hexToBytes(log.firstRoot) },
    head,
    log.consistency.map((hash) => hexToBytes(hash)),
  );
  refusesInclusion(() =>
    verifyInclusion(
      { index: log.index + 1, hash: hexToBytes(log.leafHash) },
      log.path.map((hash) => hexToBytes(hash)),
      head,
    ),
  );
});

test('round trips for every leaf and every pair of sizes up to 33', () => {
  for (let size = 1; size <= 33; size++) {
    const leaves = leavesTo(size);
    const head = headOf(size);
    for (let index = 0; index < size; index++) {
      verifyInclusion({ index, hash: leafHash(vectorLeaf(index)) }, proveInclusion(leaves, index), head);
      verifyConsistency(headOf(index), head, proveConsistency(leaves, index));
    }
  }
});

test('refuses an inclusion proof with any byte changed, one hash more or one fewer, or another index or size', () => {
  const [size, index] = [13, 6];
  const leaf = { index, hash: leafHash(vectorLeaf(index)) };
  const path = proveInclusion(leavesTo(size), index);
  const head = headOf(size);
  path.forEach((hash, i) => {
    for (let byte = 0; byte < 32; byte++) {
      const bad = hash.slice();
      bad[byte] = (bad[byte] ?? 0) ^ (1 << (byte % 8));
      refusesInclusion(() => verifyInclusion(leaf, path.with(i, bad), head));
    }
  });
  refusesInclusion(() => verifyInclusion(leaf, path.slice(1), head));
  refusesInclusion(() => verifyInclusion(leaf, path.slice(0, -1), head));
  refusesInclusion(() => verifyInclusion(leaf, [...path, leaf.hash], head));
  refusesInclusion(() => verifyInclusion(leaf, path.with(0, new Uint8Array(31)), head));
  for (const other of [0, 5, 7, 12]) refusesInclusion(() => verifyInclusion({ ...leaf, index: other }, path, head));
  refusesInclusion(() => verifyInclusion({ ...leaf, index: 13 }, path, head));
  refusesInclusion(() => verifyInclusion({ ...leaf, index: -1 }, path, head));
  refusesInclusion(() => verifyInclusion({ ...leaf, index: 6.5 }, path, head));
  refusesInclusion(() => verifyInclusion(leaf, path, { ...head, size: 7 }));
  refusesInclusion(() => verifyInclusion(leaf, [], { size: 0, root: head.root }));
  refusesInclusion(() =>
    verifyInclusion(
      leaf,
      Array.from({ length: 60 }, () => leaf.hash),
      { ...head, size: 2 ** 52 },
    ),
  );
});

test('refuses a consistency proof with any byte changed, one hash more or one fewer, or another root', () => {
  for (const [first, second] of [
    [6, 13],
    [8, 13],
    [7, 8],
  ] as const) {
    const path = proveConsistency(leavesTo(second), first);
    const [from, to] = [headOf(first), headOf(second)];
    path.forEach((hash, i) => {
      for (let byte = 0; byte < 32; byte++) {
        const bad = hash.slice();
        bad[byte] = (bad[byte] ?? 0) ^ 1;
        refusesConsistency(() => verifyConsistency(from, to, path.with(i, bad)));
      }
    });
    refusesConsistency(() => verifyConsistency(from, to, path.slice(1)));
    refusesConsistency(() => verifyConsistency(from, to, [...path, from.root]));
    refusesConsistency(() => verifyConsistency({ ...from, root: to.root }, to, path));
    refusesConsistency(() => verifyConsistency(from, { ...to, root: from.root }, path));
    refusesConsistency(() => verifyConsistency(to, from, path));
  }
  refusesConsistency(() => verifyConsistency({ size: 0, root: headOf(3).root }, headOf(5), []));
  refusesConsistency(() => verifyConsistency(headOf(5), { size: 5, root: headOf(4).root }, []));
});

test('splits any range of a proof into perfect subtrees, also past 2^32 leaves', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 52 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (size, fraction) => {
        const index = Math.floor(size * fraction);
        for (const range of [...inclusionRanges(index, size), ...consistencyRanges(index, size)]) {
          const nodes = rangeNodes(range);
          assert.equal(
            nodes.reduce((sum, node) => sum + 2 ** node.level, 0),
            range.end - range.begin,
          );
          assert.equal((nodes[0]?.index ?? -1) * 2 ** (nodes[0]?.level ?? 0), range.begin);
          assert.ok(nodes.every((node) => Number.isInteger(node.index)));
        }
      },
    ),
  );
});

test('has no proof for a leaf past the tree size', () => {
  assert.throws(
    () => inclusionRanges(5, 5),
    (error) => isNectarError(error, 'AUDIT_INDEX_OUT_OF_RANGE'),
  );
  assert.throws(
    () => consistencyRanges(6, 5),
    (error) => isNectarError(error, 'AUDIT_INDEX_OUT_OF_RANGE'),
  );
});
