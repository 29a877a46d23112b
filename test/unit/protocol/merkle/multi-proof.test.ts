import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNectarError } from '../../../../protocol/errors.ts';
import { type Hash, leafHash, nodeHash } from '../../../../protocol/merkle/hash.ts';
import { multiProofRanges, verifyMultiProof } from '../../../../protocol/merkle/multi-proof.ts';
import { inclusionRanges, rangeHash } from '../../../../protocol/merkle/prove.ts';

const leaves = Array.from({ length: 40 }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
const source = ({ level, index }: { level: number; index: number }): Hash =>
  level === 0
    ? (leaves[index] as Hash)
    : nodeHash(source({ level: level - 1, index: 2 * index }), source({ level: level - 1, index: 2 * index + 1 }));
const headOf = (size: number) => ({ size, root: rangeHash({ begin: 0, end: size }, source) });
const proofOf = (indices: readonly number[], size: number) =>
  multiProofRanges(indices, size).map((range) => rangeHash(range, source));
const of = (indices: readonly number[]) => indices.map((index) => ({ index, hash: leaves[index] as Hash }));

test('shows any set of leaves in any tree, and no other leaf in their places', () => {
  for (let size = 1; size <= 20; size++) {
    for (let bits = 1; bits < 2 ** size; bits += 1 + Math.floor(2 ** size / 97)) {
      const indices = Array.from({ length: size }, (_, i) => i).filter((i) => Math.floor(bits / 2 ** i) % 2 === 1);
      const proof = proofOf(indices, size);
      verifyMultiProof(of(indices), proof, headOf(size));
      const [first, ...rest] = of(indices);
      const other = { index: first?.index ?? 0, hash: leaves[39] as Hash };
      assert.throws(() => verifyMultiProof([other, ...rest], proof, headOf(size)));
    }
  }
});

test('of one leaf it is the inclusion path, of all leaves it is empty', () => {
  const byBegin = (a: { begin: number }, b: { begin: number }) => a.begin - b.begin;
  for (const index of [0, 7, 12])
    assert.deepEqual(multiProofRanges([index], 13), inclusionRanges(index, 13).sort(byBegin));
  assert.deepEqual(
    multiProofRanges(
      Array.from({ length: 13 }, (_, i) => i),
      13,
    ),
    [],
  );
});

test('refuses what is out of order, twice, beyond the tree, too short or too long', () => {
  const [head, indices] = [headOf(13), [2, 5]];
  const proof = proofOf(indices, 13);
  const refused = (error: unknown) => isNectarError(error, 'AUDIT_INCLUSION_INVALID');
  for (const wrong of [of([5, 2]), of([2, 2]), of([2, 13]), [], of([2]), of([2, 5, 6])])
    assert.throws(() => verifyMultiProof(wrong, proof, head), refused);
  for (const wrong of [proof.slice(1), [...proof, leaves[0] as Hash], proof.toReversed(), proof.map((h) => h.slice(1))])
    assert.throws(() => verifyMultiProof(of(indices), wrong, head), refused);
  for (const wrong of [[3, 3], [4, 2], [13], [-1], [0.5]])
    assert.throws(
      () => multiProofRanges(wrong, 13),
      (error) => isNectarError(error, 'AUDIT_INDEX_OUT_OF_RANGE'),
    );
});
