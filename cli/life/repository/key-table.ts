import { createHash } from 'node:crypto';
import { NectarError } from '../../../protocol/errors.ts';
import { type ByteSource, createByteSource } from '../backup/byte-source.ts';
import { type BackupEntry, bytesEntry } from '../backup/entry.ts';
import { openObject, type RepositorySecret, sealObject } from './sealed-object.ts';

/**
 * The key table: what opens records, and nothing else does. Its beginning is as it is at rest, wrapped and sealed by the owner's root key, since that opens the rest:
 *
 *   "nectar-byon/key-table/1\n" | JSON of the files that unlock, by path, base64 | "\n" | sealed frames
 *   frame = kind (1) | key length (4) | value length (4) | key | value        an entry of the index as it is sealed there, or a file
 *   last  = 0 | number of frames before it (4) | 0 (4)
 */
const MAGIC = 'nectar-byon/key-table/1\n';
const FRAME_BYTES = 9;
const MAX_HEAD_BYTES = 8 * 1024 * 1024;
const MAX_KEY_BYTES = 1024;
const MAX_VALUE_BYTES = 16 * 1024 * 1024;
const KIND = { end: 0, entry: 1, file: 2 } as const;
const GATHERED_BYTES = 256 * 1024;

/** What keys are opened with: they come before the rest, in no other form than in the home. */
const UNLOCKING = /^(keys\.json|format\.json|identity\/public\.json|identity\/[a-z][a-z0-9-]{0,63}\.sealed)$/;
const TOKENS = 'tokens.json';

/** True for a small file that belongs into the key table: an older copy of it would bring back what is gone or revoked. */
export function isKeyFile(path: string): boolean {
  return UNLOCKING.test(path) || path === TOKENS;
}

export interface KeyTableParts {
  /** Those of isKeyFile. */
  readonly files: readonly BackupEntry[];
  /** Of the index, sealed as they are there. */
  entries(): AsyncIterable<readonly [Uint8Array, Uint8Array]>;
}

export async function* writeKeyTable(parts: KeyTableParts, secret: RepositorySecret): AsyncGenerator<Uint8Array> {
  const files: [string, Uint8Array][] = [];
  for (const file of parts.files) files.push([file.path, await readEntry(file)]);
  const head = files.filter(([path]) => UNLOCKING.test(path));
  const text = Object.fromEntries(head.map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]));
  yield Buffer.from(`${MAGIC}${JSON.stringify(text)}\n`);
  const rest = files.filter(([path]) => !UNLOCKING.test(path));
  yield* sealObject(gathered(frames(rest, parts.entries())), secret, 'table');
}

async function* frames(
  files: readonly [string, Uint8Array][],
  entries: AsyncIterable<readonly [Uint8Array, Uint8Array]>,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for (const [path, bytes] of files) {
    yield frame(KIND.file, Buffer.from(path), bytes);
    count += 1;
  }
  for await (const [key, value] of entries) {
    yield frame(KIND.entry, key, value);
    count += 1;
  }
  const end = Buffer.alloc(FRAME_BYTES);
  end.writeUInt32BE(count, 1);
  yield end;
}

function frame(kind: number, key: Uint8Array, value: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_BYTES);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(key.length, 1);
  head.writeUInt32BE(value.length, 5);
  return Buffer.concat([head, key, value]);
}

/** Larger pieces: a frame is some hundred bytes. */
async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of source) {
    parts.push(part);
    bytes += part.length;
    if (bytes < GATHERED_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    bytes = 0;
  }
  yield Buffer.concat(parts);
}

/** A key table as it is read: first what unlocks, then, with the repository's key, the rest. */
export interface ReadKeyTable {
  /** Written to the folder, they are what a key file or passphrase opens. */
  readonly unlocking: readonly BackupEntry[];
  /** To the end; the digest is of the whole object. */
  rest(secret: RepositorySecret, sink: KeyTableSink): Promise<{ readonly sha256: string; readonly entries: number }>;
}

export interface KeyTableSink {
  file(entry: BackupEntry): Promise<void>;
  entry(key: Uint8Array, value: Uint8Array): Promise<void>;
}

/** @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_ALTERED */
export async function readKeyTable(source: AsyncIterable<Uint8Array>): Promise<ReadKeyTable> {
  const hash = createHash('sha256');
  const bytes = createByteSource(hashed(source, hash), () => malformed('it ends early'));
  const head = await readHead(bytes);
  return {
    unlocking: head,
    async rest(secret, sink) {
      const plain = createByteSource(openObject(drained(bytes), secret, 'table'), () => malformed('it ends early'));
      let count = 0;
      for (;;) {
        const lead = Buffer.from(await plain.take(FRAME_BYTES));
        const [kind, keyBytes, valueBytes] = [lead.readUInt8(0), lead.readUInt32BE(1), lead.readUInt32BE(5)];
        if (kind === KIND.end) {
          if (keyBytes !== count || (await plain.rest()) > 0) throw malformed('its end is not where it should be');
          return { sha256: hash.digest('hex'), entries: count };
        }
        if (keyBytes > MAX_KEY_BYTES || valueBytes > MAX_VALUE_BYTES) throw malformed('a part of it is too large');
        const key = await plain.take(keyBytes);
        const value = await plain.take(valueBytes);
        if (kind === KIND.entry) await sink.entry(key, value);
        else await sink.file(fileOf(Buffer.from(key).toString('utf8'), value));
        count += 1;
      }
    },
  };
}

function fileOf(path: string, content: Uint8Array): BackupEntry {
  if (path !== TOKENS) throw malformed('it holds a file that no key table has');
  return bytesEntry(path, content);
}

async function readHead(bytes: ByteSource): Promise<BackupEntry[]> {
  const magic = Buffer.from(await bytes.take(MAGIC.length)).toString('latin1');
  if (magic !== MAGIC) throw malformed('it does not begin as one');
  const parts: Uint8Array[] = [];
  for (let length = 0; ; length += 1) {
    if (length > MAX_HEAD_BYTES) throw malformed('its head is too large');
    const byte = await bytes.take(1);
    if (byte[0] === 0x0a) break;
    parts.push(byte);
  }
  let files: unknown;
  try {
    files = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw malformed('its head is malformed');
  }
  return Object.entries(files as Record<string, unknown>).map(([path, content]) => {
    if (!UNLOCKING.test(path) || typeof content !== 'string') throw malformed('its head is malformed');
    return bytesEntry(path, Buffer.from(content, 'base64'));
  });
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* drained(bytes: ByteSource): AsyncGenerator<Uint8Array> {
  for (let left = await bytes.rest(); left > 0; left = await bytes.rest()) yield await bytes.some(left);
}

export async function readEntry(entry: BackupEntry): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function malformed(problem: string): NectarError {
  return new NectarError('BACKUP_FORMAT_INVALID', { problem: `the key table: ${problem}` });
}
