import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isWholePages, PIECE_BYTES } from '../../../../appliance/page-memory.ts';
import { createBlockFiles, readIfThere } from '../../../../appliance/store/block-files.ts';
import { createLeafFiles } from '../../../../appliance/store/leaf-file.ts';
import { freeBytes } from '../../../../appliance/stream-memory.ts';
import type { Cid } from '../../../../protocol/brand.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-leaf-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, bytes: number): { path: string; content: Buffer } {
  const content = randomBytes(bytes);
  writeFileSync(join(folder, name), content);
  return { path: join(folder, name), content };
}

test('a full block is read past the page cache once, and the ordinary way when it is asked for again', async (t) => {
  const leaves = createLeafFiles();
  const { path, content } = fileOf('full', PIECE_BYTES);
  const block = await leaves.read(path);
  // A file system without direct reads is read in the ordinary way, always.
  if (block === undefined) return t.skip('no direct reads here');
  assert.ok(isWholePages(block) && content.equals(block));
  freeBytes(block);
  assert.equal(await leaves.read(path), undefined);
});

test('what is no full block, or not there, is left to the ordinary way', async () => {
  const leaves = createLeafFiles();
  for (const bytes of [0, 100, PIECE_BYTES - 4096, PIECE_BYTES + 4096])
    assert.equal(await leaves.read(fileOf(`of-${bytes}`, bytes).path), undefined);
  assert.equal(await leaves.read(join(folder, 'absent')), undefined);
});

test('a leaf is the same bytes each time, and absent where its block is', async () => {
  const files = createBlockFiles({ blocks: join(folder, 'blocks'), staging: join(folder, 'staging') });
  await files.prepare();
  const cid = `bafkrei${'a'.repeat(52)}` as Cid;
  assert.equal(await files.readLeaf(cid), undefined);
  const content = randomBytes(PIECE_BYTES);
  await files.restore(cid, content, 'staged');
  for (let turn = 0; turn < 3; turn++) {
    const leaf = await files.readLeaf(cid);
    assert.ok(leaf !== undefined && content.equals(leaf));
    freeBytes(leaf);
  }
  assert.ok(content.equals((await readIfThere(join(folder, 'blocks', 'a', cid))) ?? Buffer.alloc(0)));
});
