import { Buffer } from 'node:buffer';
import { pack } from 'tar-stream';

/** One member of a tar for `putArchive`; owner and mode are what the engine gives it. */
export interface ArchiveFile {
  /** Relative, without a leading slash; folders come before what is in them. */
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
  /** undefined: a folder. */
  readonly content?: Uint8Array;
}

/** A small archive in memory; the caller wipes it where it holds secrets. */
export async function encodeArchive(files: readonly ArchiveFile[], mtime: Date = new Date()): Promise<Buffer> {
  const archive = pack();
  for (const { path, uid, mode, content } of files) {
    const header = { name: path, uid, gid: uid, mode, mtime };
    if (content === undefined) archive.entry({ ...header, type: 'directory' });
    else archive.entry({ ...header, type: 'file', size: content.length }, Buffer.from(content));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
