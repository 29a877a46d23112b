import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import fc from 'fast-check';
import { orderedRoot } from '../../../../protocol/rollup/ordered-root.ts';
import { createRules } from '../../../../protocol/rollup/rules.ts';

const rules = createRules(1n);

async function grown(items: readonly Uint8Array[]): Promise<Uint8Array> {
  const trie = new MerklePatriciaTrie();
  for (const [index, item] of items.entries()) await trie.put(RLP.encode(index), item);
  return trie.root();
}

test('gives the root that a trie grown item by item has', async () => {
  for (const length of [0, 1, 2, 3, 127, 128, 129, 257, 700]) {
    const items = Array.from({ length }, (_, i) => Uint8Array.from([i & 255, i >> 8, 1]));
    assert.deepEqual(orderedRoot(items, rules), await grown(items), `${length} items`);
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 20 }), async (items) => {
      assert.deepEqual(orderedRoot(items, rules), await grown(items));
    }),
    { numRuns: 50 },
  );
});
