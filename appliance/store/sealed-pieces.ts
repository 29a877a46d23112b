import { type FileHandle, open } from 'node:fs/promises';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { TAG_BYTES } from '../../protocol/envelope/crypto.ts';
import { HEADER_BYTES, NONCE_PREFIX_BYTES, SALT_BYTES, SEGMENT_BYTES } from '../../protocol/envelope/format.ts';
import { createOpener, createSealer } from '../../protocol/envelope/stream.ts';
import { NectarError } from '../../protocol/errors.ts';

/**
 * A file that grows by sealed pieces, each a blob of its own with a salt of its own: a piece that is written anew after a
 * crash repeats no nonce, whatever its bytes are. Which upload and which offset it belongs to is authenticated.
 *
 *   file  = piece*
 *   piece = length(4, big-endian) | blob (format.ts, one segment)
 */
const LENGTH_BYTES = 4;
const OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;
export const PIECE_BYTES = SEGMENT_BYTES - OVERHEAD_BYTES;
/** After so many pieces the file is synced: a crash leaves no more of which the disk may have kept anything, in any order. */
export const UNSYNCED_PIECES = 16;

export interface PieceSecret {
  readonly dek: Uint8Array;
  /** Of the upload. */
  readonly id: string;
}

interface PieceDeps {
  readonly crypto: EnvelopeCrypto;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Seals what is no more than a piece; `place` keeps it from being taken for another. */
export function sealPiece(plaintext: Uint8Array, place: string, { dek, id }: PieceSecret, deps: PieceDeps): Uint8Array {
  const header = { salt: deps.randomBytes(SALT_BYTES), noncePrefix: deps.randomBytes(NONCE_PREFIX_BYTES) };
  return createSealer(deps.crypto, { dek, aad: aadOf(id, place) }, header).seal(plaintext, true);
}

/** Undefined when it is not what was sealed for this place. */
export function openPiece(
  sealed: Uint8Array,
  place: string,
  { dek, id }: PieceSecret,
  crypto: EnvelopeCrypto,
): Uint8Array | undefined {
  return createOpener(crypto, { dek, aad: aadOf(id, place) }, sealed)?.open(sealed, 0, true);
}

/** Where the next piece goes: bytes of plaintext before it, and bytes of the file. */
export interface PiecesEnd {
  readonly offset: number;
  readonly position: number;
}

const START: PiecesEnd = { offset: 0, position: 0 };

/**
 * Finds how far a file goes after a restart. A piece that a crash cut off does not count, nor what follows one that does
 * not authenticate among those that may not have been synced: the next one takes its place.
 */
export async function findEnd(path: string, secret: PieceSecret, crypto: EnvelopeCrypto): Promise<PiecesEnd> {
  const file = await open(path, 'r');
  try {
    const ends = await readEnds(file);
    const unsure = Math.max(0, ends.length - 1 - UNSYNCED_PIECES);
    for (let i = unsure; i + 1 < ends.length; i++) {
      const [start, end] = [ends[i] ?? START, ends[i + 1] ?? START];
      if ((await readPiece(file, { start, end }, secret, crypto)) === undefined) return start;
    }
    return ends.at(-1) ?? START;
  } finally {
    await file.close();
  }
}

/** By their lengths alone. */
async function readEnds(file: FileHandle): Promise<PiecesEnd[]> {
  const { size } = await file.stat();
  const ends: PiecesEnd[] = [START];
  for (let { offset, position } = START; ; ) {
    const length = await readLength(file, position, size);
    if (length === undefined) return ends;
    offset += length - OVERHEAD_BYTES;
    position += LENGTH_BYTES + length;
    ends.push({ offset, position });
  }
}

async function readPiece(
  file: FileHandle,
  { start, end }: { readonly start: PiecesEnd; readonly end: PiecesEnd },
  secret: PieceSecret,
  crypto: EnvelopeCrypto,
): Promise<Uint8Array | undefined> {
  const sealed = new Uint8Array(end.position - start.position - LENGTH_BYTES);
  await file.read(sealed, 0, sealed.length, start.position + LENGTH_BYTES);
  return openPiece(sealed, placeOf(start.offset), secret, crypto);
}

export async function writePiece(
  file: FileHandle,
  plaintext: Uint8Array,
  end: PiecesEnd,
  seal: (place: string) => Uint8Array,
): Promise<PiecesEnd> {
  const sealed = seal(placeOf(end.offset));
  const framed = Buffer.allocUnsafeSlow(LENGTH_BYTES + sealed.length);
  framed.writeUInt32BE(sealed.length);
  framed.set(sealed, LENGTH_BYTES);
  await file.write(framed, 0, framed.length, end.position);
  return { offset: end.offset + plaintext.length, position: end.position + framed.length };
}

/**
 * Every piece, opened, in order.
 *
 * @throws NectarError STORE_UPLOAD_CORRUPT when one does not authenticate
 */
export async function* readPieces(
  path: string,
  end: PiecesEnd,
  secret: PieceSecret,
  crypto: EnvelopeCrypto,
): AsyncGenerator<Uint8Array, void, void> {
  const file = await open(path, 'r');
  try {
    for (let start = START; start.position < end.position; ) {
      const length = await readLength(file, start.position, end.position);
      if (length === undefined) throw corrupt(secret, start.offset);
      const next = { offset: start.offset + length - OVERHEAD_BYTES, position: start.position + LENGTH_BYTES + length };
      const plaintext = await readPiece(file, { start, end: next }, secret, crypto);
      if (plaintext === undefined) throw corrupt(secret, start.offset);
      start = next;
      yield plaintext;
      plaintext.fill(0);
    }
  } finally {
    await file.close();
  }
}

async function readLength(file: FileHandle, position: number, size: number): Promise<number | undefined> {
  if (position + LENGTH_BYTES > size) return undefined;
  const { buffer } = await file.read(Buffer.alloc(LENGTH_BYTES), 0, LENGTH_BYTES, position);
  const length = buffer.readUInt32BE();
  const whole = length > OVERHEAD_BYTES && length <= SEGMENT_BYTES && position + LENGTH_BYTES + length <= size;
  return whole ? length : undefined;
}

function placeOf(offset: number): string {
  return `offset ${offset}`;
}

function aadOf(id: string, place: string): Uint8Array {
  return new TextEncoder().encode(`nectar-byon/partial-upload/v1 ${id} ${place}`);
}

function corrupt({ id }: PieceSecret, offset: number): NectarError {
  return new NectarError('STORE_UPLOAD_CORRUPT', { upload: id, offset });
}
