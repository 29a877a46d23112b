import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { isNectarError } from '../../../../protocol/errors.ts';
import { encodeEntryBundle, parseEntryBundle } from '../../../../protocol/merkle/entry-bundle.ts';
import { leafHash } from '../../../../protocol/merkle/hash.ts';
import { inclusionRanges, rangeHash } from '../../../../protocol/merkle/prove.ts';
import {
  encodeTile,
  hashInTile,
  parseTile,
  parseTilePath,
  partialTiles,
  tileOfNode,
  tilePath,
} from '../../../../protocol/merkle/tile.ts';
import { createTileEdge, type FilledTile } from '../../../../protocol/merkle/tile-edge.ts';
import { verifyInclusion } from '../../../../protocol/merkle/verify.ts';
import { VECTORS, vectorLeaf, vectorRoot } from './vectors.ts';

function buildTiles(size: number): Map<string, FilledTile> {
  const edge = createTileEdge();
  const tiles: FilledTile[] = [];
  for (let i = 0; i < size; i++) tiles.push(...edge.append(leafHash(vectorLeaf(i))));
  return new Map([...tiles, ...edge.partials()].map((tile) => [tilePath(tile), tile]));
}

test('writes the paths that another implementation writes, and parses only those', () => {
  for (const { level, n, w, path } of VECTORS.paths) {
    assert.equal(tilePath({ level, index: n, width: w }), path);
    assert.deepEqual(parseTilePath(path), { level, index: n, width: w });
  }
  assert.equal(tilePath({ level: 'entries', index: 1234067, width: 12 }), 'tile/entries/x001/x234/067.p/12');
  for (const path of [
    'tile/0/1',
    'tile/00/001',
    'tile/64/000',
    'tile/0/x000/001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/001/002',
    'tile/-1/000',
    '../tile/0/000',
    'tile/0/000/',
    'tile/data/000',
  ]) {
    assert.throws(
      () => parseTilePath(path),
      (error) => isNectarError(error, 'AUDIT_TILE_INVALID'),
      path,
    );
  }
});

test('round trips any tile path', () => {
  const level = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const));
  fc.assert(
    fc.property(
      level,
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 1, max: 256 }),
      (l, index, width) => {
        assert.deepEqual(parseTilePath(tilePath({ level: l, index, width })), { level: l, index, width });
      },
    ),
  );
});

test('fills the tiles that another implementation fills for 70,000 leaves', () => {
  const tiles = buildTiles(70_000);
  assert.equal(tiles.size, 273 + 1 + 1 + 1 + 1);
  for (const { path, w, first, last } of VECTORS.tiles70000) {
    const tile = tiles.get(path);
    assert.ok(tile !== undefined, path);
    assert.equal(tile.hashes.length, w);
    assert.equal(bytesToHex(tile.hashes[0] as Uint8Array), first);
    assert.equal(bytesToHex(tile.hashes.at(-1) as Uint8Array), last);
  }
  assert.deepEqual(partialTiles(70_000).map(tilePath), ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']);
  assert.deepEqual(partialTiles(256).map(tilePath), ['tile/1/000.p/1']);
  assert.deepEqual(partialTiles(0), []);
});

test('proves any leaf from tiles alone', () => {
  const size = 70_000;
  const tiles = buildTiles(size);
  const source = (node: { level: number; index: number }): Uint8Array => {
    const place = tileOfNode(node, size);
    const tile = tiles.get(tilePath(place.tile));
    if (tile === undefined) throw new Error(`missing ${tilePath(place.tile)}`);
    return hashInTile(tile.hashes, place.level, place.index);
  };
  for (const index of [0, 255, 256, 12_345, 65_535, 65_536, 69_999]) {
    const path = inclusionRanges(index, size).map((range) => rangeHash(range, source));
    verifyInclusion({ index, hash: leafHash(vectorLeaf(index)) }, path, { size, root: vectorRoot(size) });
  }
});

test('goes on from restored rows as if it had never stopped', () => {
  const hash = (i: number): Uint8Array => leafHash(vectorLeaf(i));
  const whole = createTileEdge();
  for (let i = 0; i < 600; i++) whole.append(hash(i));
  const rows: Uint8Array[][] = [];
  for (const tile of whole.partials()) rows[tile.level] = [...tile.hashes];
  const restored = createTileEdge(Array.from(rows, (row) => row ?? []));
  assert.equal(restored.size, 600);
  for (let i = 600; i < 1100; i++) assert.deepEqual(restored.append(hash(i)), whole.append(hash(i)));
  assert.deepEqual(restored.partials(), whole.partials());
});

test('parses a tile only of the right length', () => {
  const tile = { level: 0, index: 3, width: 2 };
  const bytes = encodeTile([leafHash(vectorLeaf(0)), leafHash(vectorLeaf(1))]);
  assert.equal(parseTile(bytes, tile).length, 2);
  assert.throws(
    () => parseTile(bytes.slice(1), tile),
    (error) => isNectarError(error, 'AUDIT_TILE_INVALID'),
  );
  assert.throws(
    () => parseTile(bytes, { ...tile, width: 1 }),
    (error) => isNectarError(error, 'AUDIT_TILE_INVALID'),
  );
});

test('encodes entry bundles with big-endian lengths and parses only whole ones', () => {
  assert.deepEqual(
    encodeEntryBundle([Uint8Array.of(7), new Uint8Array(258)]).slice(0, 5),
    Uint8Array.of(0, 1, 7, 1, 2),
  );
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 }), (entries) => {
      const bytes = encodeEntryBundle(entries);
      assert.deepEqual(parseEntryBundle(bytes, entries.length, 'p'), entries);
      for (const bad of [bytes.slice(0, -1), new Uint8Array([...bytes, 0])]) {
        assert.throws(
          () => parseEntryBundle(bad, entries.length, 'p'),
          (error) => isNectarError(error, 'AUDIT_TILE_INVALID'),
        );
      }
      assert.throws(
        () => parseEntryBundle(bytes, entries.length + 1, 'p'),
        (error) => isNectarError(error, 'AUDIT_TILE_INVALID'),
      );
    }),
  );
  assert.throws(
    () => encodeEntryBundle([new Uint8Array(65_536)]),
    (error) => isNectarError(error, 'AUDIT_LEAF_INVALID'),
  );
});
