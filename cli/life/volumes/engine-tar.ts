import { NectarError } from '../../../protocol/errors.ts';
import { createByteSource } from '../backup/byte-source.ts';

const BLOCK_BYTES = 512;

/** A regular file in a tar that a container engine made. */
export interface EngineFile {
  /** As the engine names it: from the last part of the path that was asked for. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970, of whole seconds. */
  readonly modifiedAt: number;
  /** To be read to its end, or not at all, before the next file. */
  content(): AsyncGenerator<Uint8Array>;
}

/**
 * The regular files of a tar as engines write them (ustar, perhaps with pax records for names that ours do not have). Folders and
 * records are passed over. It comes from our own machine; what is in it is verified where it is used.
 */
export async function* readEngineTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<EngineFile> {
  const ended = (): Error => new NectarError('BACKUP_SOURCE_UNSTABLE', { what: 'a volume' });
  const bytes = createByteSource(source, ended);
  for (;;) {
    const header = Buffer.from(await bytes.take(BLOCK_BYTES));
    if (header.every((byte) => byte === 0)) return;
    const text = (from: number, to: number): string => header.toString('latin1', from, to).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 136), 8);
    if (!Number.isSafeInteger(size) || size < 0) throw ended();
    const modifiedAt = (Number.parseInt(text(136, 148), 8) || 0) * 1000;
    const prefix = text(345, 500);
    let left = size;
    async function* content(): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const chunk = await bytes.some(left);
        left -= chunk.length;
        yield chunk;
      }
    }
    const type = text(156, 157);
    if (type === '0' || type === '')
      yield { path: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`, size, modifiedAt, content };
    for await (const _ of content()) {
      // What the reader did not want.
    }
    await bytes.take((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
  }
}
