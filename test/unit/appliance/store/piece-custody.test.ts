import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { isWholePages, takePiece } from '../../../../appliance/page-memory.ts';
import { freeBytes } from '../../../../appliance/stream-memory.ts';
import { context, createFixture, type Fixture, get, put, signal, streamOf } from './store-fixture.ts';

const MIB = 1024 * 1024;
let f: Fixture;
beforeEach(async () => {
  f = await createFixture();
});
afterEach(() => f.close());

/** How many pieces the pool still gives out. */
function pooled(): number {
  const pieces = Array.from({ length: 70 }, () => takePiece());
  const count = pieces.filter((piece) => isWholePages(piece)).length;
  for (const piece of pieces) freeBytes(piece);
  return count;
}

/** What is freed behind a broken stream comes back in its own time. */
async function comesBack(count: number): Promise<void> {
  while (pooled() < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('no piece of the pool is lost by what is stored, read, read in part or again', async () => {
  const before = pooled();
  const content = randomBytes(9 * MIB + 5);
  const { recordId } = await put(f.store, content);
  assert.equal(pooled(), before);
  for (let turn = 0; turn < 3; turn++) assert.ok(content.equals(await get(f.store, recordId)));
  assert.equal(pooled(), before);
  const { body } = await f.store.open(recordId, {}, context, signal);
  for await (const _ of body) break;
  await comesBack(before);
});

test('no piece is lost by an upload that breaks off, or a block that is damaged', async () => {
  const before = pooled();
  const broken = async function* () {
    yield* streamOf(randomBytes(6 * MIB));
    throw new Error('the client left');
  };
  const input = { contentType: 'a/b', labels: [] };
  await assert.rejects(f.store.put(input, broken(), context, signal), /the client left/);
  await comesBack(before);
  const { recordId } = await put(f.store, randomBytes(5 * MIB));
  for (const name of readdirSync(join(f.home, 'store/blocks'), { recursive: true, encoding: 'utf8' }))
    if (name.includes('baf')) writeFileSync(join(f.home, 'store/blocks', name), randomBytes(MIB));
  await assert.rejects(get(f.store, recordId));
  await comesBack(before);
});
