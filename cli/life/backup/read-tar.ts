import { parseTarHeader, TAR_BLOCK_BYTES, type TarFile, tarPadding } from '../../../protocol/backup/tar-header.ts';
import { NectarError } from '../../../protocol/errors.ts';

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
  const bytes = createByteSource(source);
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

interface ByteSource {
  take(length: number): Promise<Uint8Array>;
  /** At least one byte, at most `limit`. */
  some(limit: number): Promise<Uint8Array>;
  /** How many bytes follow, up to the first chunk of them. */
  rest(): Promise<number>;
}

function createByteSource(source: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let taken = 0;

  async function fill(): Promise<boolean> {
    while (chunk.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      chunk = next.value;
    }
    return true;
  }

  async function some(limit: number): Promise<Uint8Array> {
    if (!(await fill())) throw new NectarError('BACKUP_TRUNCATED', { bytes: taken });
    const part = chunk.subarray(0, limit);
    chunk = chunk.subarray(part.length);
    taken += part.length;
    return part;
  }

  return {
    some,
    async take(length) {
      const whole = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const part = await some(length - at);
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    },
    rest: async () => ((await fill()) ? chunk.length : 0),
  };
}
