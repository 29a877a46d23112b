import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { diskError } from '../../../appliance/durable-file.ts';
import { HEADER_PATH, isBackupPath, MANIFEST_PATH, STATEMENT_PATH } from '../../../protocol/backup/entry-path.ts';
import {
  type BackupHeader,
  type BackupStatement,
  encodeBackupHeader,
  encodeStatement,
  manifestLine,
} from '../../../protocol/backup/statement.ts';
import { encodeTarHeader, TAR_BLOCK_BYTES, tarPadding } from '../../../protocol/backup/tar-header.ts';
import { encodeNote, noteSignature } from '../../../protocol/merkle/note.ts';
import type { VerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { type BackupEntry, bytesEntry } from './entry.ts';

export interface BackupWriter {
  readonly header: BackupHeader;
  readonly entries: AsyncIterable<BackupEntry>;
  /** The node's checkpoint key, and a signature by it over the text of a statement. */
  readonly key: VerifierKey;
  sign(statement: BackupStatement): Promise<Uint8Array>;
  /** Where the manifest grows until it is written; removed at the end. */
  readonly spool: string;
  readonly signal: AbortSignal;
  /** Told what was written. */
  onResult(result: BackupResult): void;
}

export interface BackupResult {
  readonly entries: number;
  readonly bytes: number;
  readonly manifestSha256: string;
}

/**
 * The bytes of a backup: a ustar archive of the header, the entries, the SHA-256 of each in a manifest, and last the node's
 * signature over the manifest's hash. Memory stays at one chunk, whatever the size of the node.
 */
export async function* writeBackup(writer: BackupWriter): AsyncGenerator<Uint8Array> {
  const { header, signal } = writer;
  const modifiedAt = Math.floor(Date.parse(header.createdAt) / 1000);
  const manifest = createHash('sha256');
  const spool = await open(writer.spool, 'wx', 0o600);
  let [entries, bytes] = [0, 0];
  try {
    for await (const entry of all(writer)) {
      if (entry.path !== HEADER_PATH && !isBackupPath(entry.path))
        throw new RangeError(`no backup path: ${entry.path}`);
      const hash = createHash('sha256');
      for await (const chunk of archived(entry, modifiedAt, (content) => hash.update(content))) {
        signal.throwIfAborted();
        yield chunk;
      }
      const line = manifestLine({ path: entry.path, sha256: hash.digest('hex') });
      manifest.update(line);
      await append(spool, writer.spool, line);
      entries += 1;
      bytes += entry.size;
    }
    const { size } = await spool.stat();
    yield* archived({ path: MANIFEST_PATH, size, read: () => createReadStream(writer.spool) }, modifiedAt);
    const manifestSha256 = manifest.digest('hex');
    const { nodeId, createdAt } = header;
    const statement = { nodeId, createdAt, entries, bytes, manifestSha256 };
    const text = encodeStatement(statement);
    const signature = noteSignature(writer.key, await writer.sign(statement));
    yield* archived(bytesEntry(STATEMENT_PATH, Buffer.from(encodeNote({ text, signatures: [signature] }))), modifiedAt);
    yield new Uint8Array(2 * TAR_BLOCK_BYTES);
    writer.onResult({ entries, bytes, manifestSha256 });
  } finally {
    await spool.close();
    await rm(writer.spool, { force: true });
  }
}

async function* all({ header, entries }: BackupWriter): AsyncGenerator<BackupEntry> {
  yield bytesEntry(HEADER_PATH, Buffer.from(encodeBackupHeader(header)));
  yield* entries;
}

async function* archived(
  entry: BackupEntry,
  modifiedAt: number,
  onContent: (chunk: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  yield encodeTarHeader({ path: entry.path, size: entry.size, modifiedAt });
  for await (const chunk of entry.read()) {
    onContent(chunk);
    yield chunk;
  }
  const padding = tarPadding(entry.size);
  if (padding > 0) yield new Uint8Array(padding);
}

async function append(spool: FileHandle, path: string, line: string): Promise<void> {
  try {
    await spool.writeFile(line);
  } catch (error) {
    throw diskError(error, path);
  }
}
