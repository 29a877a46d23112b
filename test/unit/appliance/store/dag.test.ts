import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MemoryBlockstore } from 'blockstore-core';
import { exporter } from 'ipfs-unixfs-exporter';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { cidText, isBlockOf, parseCid, rawCid } from '../../../../appliance/store/cid.ts';
import { createDagBuilder, MAX_LINKS } from '../../../../appliance/store/dag.ts';
import { createLeafFinder, walkDag } from '../../../../appliance/store/dag-walk.ts';
import type { Cid } from '../../../../protocol/brand.ts';

const CHUNK = 32;

async function build(content: Uint8Array, maxLinks = MAX_LINKS) {
  const blocks = new Map<Cid, Uint8Array>();
  const dag = createDagBuilder(async (cid, block) => {
    blocks.set(cidText(cid), block);
  }, maxLinks);
  const leaves: Cid[] = [];
  for (let at = 0; at === 0 || at < content.length; at += CHUNK) {
    const leaf = content.subarray(at, at + CHUNK);
    const cid = rawCid(leaf);
    blocks.set(cidText(cid), leaf);
    leaves.push(cidText(cid));
    await dag.leaf(cid, leaf.length);
  }
  return { root: cidText(await dag.end()), blocks, leaves };
}

const load = (blocks: Map<Cid, Uint8Array>) => async (cid: Cid) => {
  const block = blocks.get(cid);
  assert(block);
  return block;
};

const TREES = [1, 2, 173, 174, 175, 348].map((leaves) => ({ leaves, maxLinks: MAX_LINKS }));
const DEEP_TREES = [24, 25, 26, 125, 126, 130, 624].map((leaves) => ({ leaves, maxLinks: 5 }));

for (const { leaves, maxLinks } of [...TREES, ...DEEP_TREES]) {
  test(`the root of ${leaves} leaves, ${maxLinks} to a node, is the one that IPFS's own importer gives`, async () => {
    const content = randomBytes(leaves * CHUNK - 5);
    const store = new MemoryBlockstore();
    const options = {
      cidVersion: 1,
      rawLeaves: true,
      reduceSingleLeafToSelf: true,
      chunker: fixedSize({ chunkSize: CHUNK }),
      layout: balanced({ maxChildrenPerNode: maxLinks }),
    } as const;
    let expected = '';
    for await (const entry of importer([{ content }], store, options)) expected = entry.cid.toString();
    const { root, blocks, leaves: inOrder } = await build(content, maxLinks);
    assert.equal(root, expected);
    const find = createLeafFinder({ root, leaves, maxLinks }, load(blocks));
    for (const leaf of [0, Math.floor(leaves / 2), leaves - 1]) assert.equal(await find(leaf), inOrder[leaf]);
    let walked = 0;
    for await (const cid of walkDag(root, load(blocks))) walked += blocks.has(cid) ? 1 : 0;
    assert.equal(walked, blocks.size);
  });
}

test("IPFS's own exporter reads our file back", async () => {
  const content = randomBytes(400 * CHUNK + 1);
  const { root, blocks } = await build(content);
  const store = new MemoryBlockstore();
  for (const [cid, block] of blocks) {
    const parsed = parseCid(cid);
    assert(parsed);
    await store.put(parsed, block);
  }
  const entry = await exporter(root, store);
  assert(entry.type === 'file');
  const parts: Uint8Array[] = [];
  for await (const part of entry.content()) parts.push(part);
  assert.deepEqual(Buffer.concat(parts), content);
});

test('the CID of a known block', () => {
  // sha256("hello\n"), as `printf 'hello\n' | ipfs add --cid-version 1 --raw-leaves` prints it.
  assert.equal(cidText(rawCid(Buffer.from('hello\n'))), 'bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am');
});

test('only our kind of CID parses, and a block is checked against it', () => {
  const cid = cidText(rawCid(Buffer.from('x')));
  assert.equal(isBlockOf(cid, Buffer.from('x')), true);
  assert.equal(isBlockOf(cid, Buffer.from('y')), false);
  for (const bad of [
    '',
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
    `${cid}a`,
    cid.toUpperCase(),
    `../${cid.slice(3)}`,
  ]) {
    assert.equal(parseCid(bad), undefined);
  }
});
