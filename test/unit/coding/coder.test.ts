import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitHashes } from '../../../coding/host/segment-coder.ts';
import { pieceHashes } from '../../../protocol/coding/shard-tree.ts';
import { bytesOf, coder } from './coding-fixture.ts';

const LEAF = 256;

function encoded(k: number, n: number, shardBytes: number): Uint8Array[] {
  const shards = Array.from({ length: n }, (_, i) =>
    i < k ? bytesOf(`shard ${i}`, shardBytes) : new Uint8Array(shardBytes),
  );
  coder.fill({ k, shards, wanted: [...shards.keys()].slice(k) });
  return shards;
}

test('rebuilds every shard from any k of n, for all n up to 8 and every set', () => {
  for (let n = 2; n <= 8; n++) {
    for (let k = 1; k < n; k++) {
      const shards = encoded(k, n, LEAF);
      for (let set = 0; set < 1 << n; set++) {
        const lost = [...shards.keys()].filter((i) => ((set >> i) & 1) === 0);
        if (n - lost.length !== k) continue;
        const places = shards.map((shard, i) => (lost.includes(i) ? new Uint8Array(LEAF) : shard.slice()));
        coder.fill({ k, shards: places, wanted: lost });
        assert.deepEqual(places, shards, `${k} of ${n}, lost ${lost}`);
      }
    }
  }
});

test('rebuilds shards longer than a stripe from random sets', () => {
  const arbitrary = fc.constantFrom([2, 5], [10, 20], [20, 36], [32, 40]).chain(([k = 0, n = 0]) =>
    fc.record({
      k: fc.constant(k),
      n: fc.constant(n),
      leaves: fc.integer({ min: 1, max: 200 }),
      kept: fc.shuffledSubarray([...Array(n).keys()], { minLength: k, maxLength: k }),
    }),
  );
  fc.assert(
    fc.property(arbitrary, ({ k, n, leaves, kept }) => {
      const shards = encoded(k, n, leaves * LEAF);
      const lost = [...shards.keys()].filter((i) => !kept.includes(i));
      const places = shards.map((shard, i) => (lost.includes(i) ? new Uint8Array(shard.length) : shard));
      coder.fill({ k, shards: places, wanted: lost });
      assert.deepEqual(places, shards);
    }),
    { numRuns: 25, seed: 12 },
  );
});

test('writes wanted shards only', () => {
  const shards = encoded(2, 5, LEAF);
  const places = [shards[0]?.slice(), undefined, shards[2]?.slice(), new Uint8Array(LEAF), undefined];
  coder.fill({ k: 2, shards: places, wanted: [3] });
  assert.deepEqual(places, [shards[0], undefined, shards[2], shards[3], undefined]);
});

test('refuses what cannot be coded', () => {
  const leaf = (): Uint8Array => new Uint8Array(LEAF);
  const refused = (fill: Parameters<typeof coder.fill>[0], data: object): void =>
    assert.throws(() => coder.fill(fill), data);
  refused({ k: 0, shards: [leaf(), leaf()], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 33, shards: Array.from({ length: 40 }, leaf), wanted: [39] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 1.5, shards: [leaf(), leaf()], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 2, shards: [leaf(), leaf()], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 2, shards: Array.from({ length: 256 }, leaf), wanted: [3] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 1, shards: [leaf(), undefined], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 1, shards: [leaf(), new Uint8Array(512)], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 1, shards: [new Uint8Array(100), new Uint8Array(100)], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused({ k: 1, shards: [new Uint8Array(0), new Uint8Array(0)], wanted: [1] }, { code: 'CODING_INPUT_INVALID' });
  refused(
    { k: 2, shards: [leaf(), undefined, leaf()], wanted: [2] },
    { code: 'CODING_SHARDS_TOO_FEW', data: { needed: 2, present: 1 } },
  );
  assert.throws(() => coder.pieceHashes(new Uint8Array(100)), { code: 'CODING_INPUT_INVALID' });
});

test('hashes the pieces of a shard as protocol/ does, at every length around a piece and a batch', () => {
  for (const leaves of [1, 2, 63, 64, 65, 128, 200, 64 * 64 - 1, 64 * 64 + 1]) {
    const shard = bytesOf(`pieces ${leaves}`, leaves * LEAF);
    assert.deepEqual(splitHashes(coder.pieceHashes(shard)), pieceHashes(shard), `${leaves} leaves`);
  }
});
