import { parseTarHeader, TAR_BLOCK_BYTES, type TarFile, tarPadding } from '../../../protocol/backup/tar-header.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { createByteSource } from './byte-source.ts';

/** One file of an archive. Its content is to be read to the end before the next one is asked for. */
export interface TarEntry extends TarFile {
  content(): AsyncGenerator<Uint8Array>;
}

/**
 * The files of a ustar archive, streamed. Whoever wrote it may be hostile: headers that we would not have written are refused, and
 * an archive that ends before its two blocks of zeros is incomplete.
 *
 * @throws NectarError BACKUP_FORMAT_INVALID, BACKUP_TRUNCATED
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const bytes = createByteSource(source, (taken) => new NectarError('BACKUP_TRUNCATED', { bytes: taken }));
  for (;;) {
    const file = parseTarHeader(await bytes.take(TAR_BLOCK_BYTES));
    if (file === undefined) throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'it holds no plain tar header' });
    if (file === 'end') break;
    let left = file.size;
    yield {
      ...file,
      async *content() {
        while (left > 0) {
          const chunk = await bytes.some(left);
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    if (left > 0) throw new Error('an entry was not read to its end');
    const padding = await bytes.take(tarPadding(file.size));
    if (padding.some((byte) => byte !== 0)) throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'stray bytes' });
  }
  const end = parseTarHeader(await bytes.take(TAR_BLOCK_BYTES));
  if (end !== 'end' || (await bytes.rest()) > 0)
    throw new NectarError('BACKUP_FORMAT_INVALID', { problem: 'something follows its end' });
}
