import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givePieceBack, isWholePages, PAGE_BYTES, PIECE_BYTES, takePiece } from '../../../appliance/page-memory.ts';
import { freeBytes } from '../../../appliance/stream-memory.ts';

test('no two who hold a piece share a byte, and a piece given back is given out again', () => {
  const pieces = Array.from({ length: 20 }, () => takePiece());
  pieces.forEach((piece, i) => void piece.fill(i));
  pieces.forEach((piece, i) => void assert.ok(piece.every((byte) => byte === i)));
  assert.ok(pieces.every((piece) => piece.length === PIECE_BYTES && isWholePages(piece)));
  for (const piece of pieces) freeBytes(piece);
  const again = takePiece();
  assert.ok(pieces.some(({ buffer, byteOffset }) => buffer === again.buffer && byteOffset === again.byteOffset));
  freeBytes(again);
});

test('a piece that was given back is nobody’s: a second time is not heard', () => {
  const piece = takePiece();
  assert.deepEqual([givePieceBack(piece), givePieceBack(piece)], [true, false]);
  const [one, other] = [takePiece(), takePiece()];
  assert.notEqual(`${one.byteOffset}`, one.buffer === other.buffer ? `${other.byteOffset}` : '');
  for (const each of [one, other]) givePieceBack(each);
});

test('whoever asks for more than the pool has gets ordinary memory', () => {
  const pieces = Array.from({ length: 100 }, () => takePiece());
  const pooled = pieces.filter((piece) => isWholePages(piece));
  assert.ok(pooled.length >= 8 && pooled.length < pieces.length, `${pooled.length}`);
  assert.ok(pieces.every((piece) => piece.length === PIECE_BYTES));
  for (const piece of pieces) assert.equal(givePieceBack(piece), pooled.includes(piece));
});

test('only whole pages of the pool, at a page, go to the disk as they lie', () => {
  const piece = takePiece();
  assert.ok(isWholePages(piece.subarray(PAGE_BYTES, 3 * PAGE_BYTES)));
  for (const other of [piece.subarray(1, 1 + PAGE_BYTES), piece.subarray(0, 100), piece.subarray(0, 0), 'text'])
    assert.equal(isWholePages(other), false);
  assert.equal(isWholePages(Buffer.alloc(PAGE_BYTES)), false);
  givePieceBack(piece);
});
