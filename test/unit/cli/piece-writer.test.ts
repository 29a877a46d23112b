import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PIECE_BYTES, takePiece } from '../../../appliance/page-memory.ts';
import { createPieceWriter } from '../../../cli/piece-writer.ts';

async function newFile(t: TestContext): Promise<{ path: string; file: FileHandle }> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-pieces-'));
  const path = join(folder, 'out');
  const file = await open(path, 'wx');
  t.after(async () => {
    await file.close();
    await rm(folder, { recursive: true });
  });
  return { path, file };
}

/** A piece of page memory with bytes of its own. */
function filledPiece(): { piece: Uint8Array; bytes: Buffer } {
  const piece = takePiece();
  piece.set(randomBytes(PIECE_BYTES));
  return { piece, bytes: Buffer.from(piece) };
}

/** A file that is not there for direct writes, whose writes wait for the test and may be cut short. */
function steppedFile(most = Number.POSITIVE_INFINITY) {
  const written = new Map<number, Buffer>();
  const writes: { pieces: number; at: number; go: PromiseWithResolvers<void> }[] = [];
  const file = {
    async writev(pieces: readonly Uint8Array[], at: number) {
      const go = Promise.withResolvers<void>();
      writes.push({ pieces: pieces.length, at, go });
      await go.promise;
      const bytes = Buffer.concat(pieces).subarray(0, most);
      written.set(at, bytes);
      return { bytesWritten: bytes.length };
    },
  } as unknown as FileHandle;
  const content = (): Buffer => Buffer.concat([...written].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
  return { file, writes, content };
}

const NOWHERE = '/nowhere/at-all';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

test('writes pieces and chunks of any size in their order, behind what is there', async (t) => {
  const { path, file } = await newFile(t);
  const before = randomBytes(PIECE_BYTES);
  await file.write(before, 0, before.length, 0);
  const writer = createPieceWriter(path, file, PIECE_BYTES);
  const expected: Buffer[] = [before];
  for (const length of [0, 1, 10, PIECE_BYTES - 11, PIECE_BYTES, 3 * PIECE_BYTES + 5]) {
    const chunk = randomBytes(length);
    expected.push(chunk);
    await writer.add(chunk);
  }
  const { piece, bytes } = filledPiece();
  expected.push(bytes);
  await writer.add(piece);
  await writer.end();
  await writer.close();
  assert.ok((await readFile(path)).equals(Buffer.concat(expected)));
});

test('what comes while the disk is busy goes in one write', async () => {
  const { file, writes, content } = steppedFile();
  const writer = createPieceWriter(NOWHERE, file);
  const pieces = Array.from({ length: 6 }, filledPiece);
  for (const { piece } of pieces) await writer.add(piece);
  await until(() => writes.length === 2);
  assert.deepEqual(
    writes.map((write) => write.pieces),
    [1, 1],
  );
  const seventh = filledPiece();
  const added = writer.add(seventh.piece);
  let taken = false;
  void added.then(() => {
    taken = true;
  });
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(taken, false, 'no more is taken than goes out');
  writes[0]?.go.resolve();
  await until(() => writes.length === 3);
  assert.deepEqual([writes[2]?.pieces, writes[2]?.at], [4, 2 * PIECE_BYTES]);
  await added;
  for (const { go } of writes) go.resolve();
  await until(() => writes.length === 4);
  writes[3]?.go.resolve();
  await writer.end();
  await writer.close();
  assert.ok(content().equals(Buffer.concat([...pieces, seventh].map(({ bytes }) => bytes))));
});

test('settles once what had come is written, whatever comes behind it', async () => {
  const { file, writes } = steppedFile();
  const writer = createPieceWriter(NOWHERE, file);
  for (let i = 0; i < 3; i++) await writer.add(filledPiece().piece);
  await until(() => writes.length === 2);
  let settled = false;
  const settling = writer.settled().then(() => {
    settled = true;
  });
  for (const { go } of writes) go.resolve();
  await until(() => writes.length === 3);
  await writer.add(filledPiece().piece);
  await until(() => writes.length === 4);
  assert.equal(settled, false, 'the third waited for its write');
  writes[2]?.go.resolve();
  await settling;
  writes[3]?.go.resolve();
  await writer.close();
});

test('goes on where a write ended short', async () => {
  const { file, writes, content } = steppedFile(PIECE_BYTES + 7);
  const writer = createPieceWriter(NOWHERE, file);
  const pieces = Array.from({ length: 5 }, filledPiece);
  for (const { piece } of pieces) await writer.add(piece);
  let closed = false;
  const ended = writer.end().then(() => {
    closed = true;
  });
  while (!closed) {
    for (const { go } of writes) go.resolve();
    await turn();
  }
  await ended;
  await writer.close();
  assert.ok(content().equals(Buffer.concat(pieces.map(({ bytes }) => bytes))));
});

test('a write that fails is told of, and frees what waited', async () => {
  const { file, writes } = steppedFile();
  const writer = createPieceWriter(NOWHERE, file);
  for (let i = 0; i < 4; i++) await writer.add(filledPiece().piece);
  await until(() => writes.length === 2);
  writes[0]?.go.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
  writes[1]?.go.resolve();
  await assert.rejects(writer.settled(), { code: 'ENOSPC' });
  await assert.rejects(writer.add(filledPiece().piece), { code: 'ENOSPC' });
  await assert.rejects(writer.end(), { code: 'ENOSPC' });
  await writer.close();
  assert.equal(writes.length, 2, 'nothing is written behind it');
});

test('writes without direct writes where the file system has none', async (t) => {
  const { path, file } = await newFile(t);
  assert.ok(constants.O_DIRECT === undefined || constants.O_DIRECT > 0);
  const writer = createPieceWriter(`${path}-is-not-there`, file);
  const { piece, bytes } = filledPiece();
  await writer.add(piece);
  await writer.end();
  await writer.close();
  assert.ok((await readFile(path)).equals(bytes));
});
