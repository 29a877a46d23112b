import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { ClassicLevel } from 'classic-level';
import { createDatabaseKeys } from '../../../../../appliance/rollup/execute/database-keys.ts';
import { encodeFresh, packPreimages } from '../../../../../appliance/rollup/execute/packed-preimages.ts';
import { createSealer } from '../../../../../appliance/rollup/execute/sealer.ts';
import { openSharedPreimages } from '../../../../../appliance/rollup/execute/shared-preimages.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-preimages-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const databaseKey = randomBytes(32);
const keys = createDatabaseKeys(databaseKey);
const sealer = createSealer(databaseKey, randomBytes);
const preimage = (text: string, size: number) => {
  const bytes = new Uint8Array(Buffer.from(text.padEnd(size, '.')));
  return [keccak_256(bytes), bytes] as const;
};

/** A database that one block wrote, open twice as in a node. */
async function openWith(name: string, preimages: readonly (readonly [Uint8Array, Uint8Array])[]) {
  const path = join(folder, name);
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    multithreading: true,
  });
  await level.open();
  await level.batch(packPreimages({ number: 1n, hash: randomBytes(32) }, encodeFresh(preimages), { keys, sealer }));
  const shared = await openSharedPreimages({ path, databaseKey, cacheBytes: 1 << 20 });
  const end = async () => {
    await shared.close();
    await level.close();
  };
  return { level, shared, end };
}

test('every preimage is found by its hash, whatever was read before it', async () => {
  const preimages = Array.from({ length: 60 }, (_, i) => preimage(`node ${i}`, 400));
  const { shared, end } = await openWith('all', preimages);
  for (const [hash, bytes] of [...preimages, ...preimages.toReversed()]) assert.deepEqual(shared.get(hash), bytes);
  for (let i = 0; i < preimages.length; i += 1) {
    const [hash, bytes] = preimages[(i * 37) % preimages.length] as (typeof preimages)[number];
    assert.deepEqual(shared.get(hash), bytes);
  }
  assert.equal(shared.get(randomBytes(32)), undefined);
  await end();
});

test('what lies beside the preimage that was read last is found without a look into the database', async () => {
  const [parent, child] = [preimage('parent', 500), preimage('child', 100)];
  const elsewhere = Array.from({ length: 20 }, (_, i) => preimage(`elsewhere ${i}`, 400));
  const { level, shared, end } = await openWith('beside', [child, parent, ...elsewhere]);
  await level.del(keys.preimage(child[0]));
  assert.equal(shared.get(child[0]), undefined);
  assert.deepEqual(shared.get(parent[0]), parent[1]);
  const found = shared.get(child[0]);
  assert.deepEqual(found, child[1]);
  found?.fill(0);
  assert.deepEqual(shared.get(child[0]), child[1], 'it is a copy');
  assert.ok(shared.get((elsewhere.at(-1) as typeof child)[0]));
  assert.equal(shared.get(child[0]), undefined);
  await end();
});
