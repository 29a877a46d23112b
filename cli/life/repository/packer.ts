import { type ListedFile, objectName } from '../../../protocol/backup/repository.ts';
import { type RepositorySecret, sealObject } from './sealed-object.ts';
import { memoryObject } from './spooled-object.ts';
import type { Target } from './target.ts';

/** Small files go together: an object each would cost a round trip each. */
const PACK_BYTES = 8 * 1024 * 1024;
/** What is read into memory to open a pack: one file may be as large as a pack, and begin just before its end. */
export const MAX_PACK_BYTES = 8 * PACK_BYTES;

export interface Packer {
  add(file: Omit<ListedFile, 'pack' | 'offset'>, content: Uint8Array): Promise<void>;
  /** Writes what is left. */
  end(): Promise<void>;
  /** Bytes written. */
  written(): number;
}

/** `onFile` hears where each file came to lie, once that object is written. */
export function createPacker(
  target: Target,
  secret: RepositorySecret,
  onFile: (file: ListedFile) => Promise<void> | void,
): Packer {
  let files: { file: Omit<ListedFile, 'pack' | 'offset'>; offset: number }[] = [];
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let written = 0;

  async function end(): Promise<void> {
    if (files.length === 0) return;
    const sealed: Uint8Array[] = [];
    for await (const part of sealObject(parts, secret, 'pack')) sealed.push(part);
    const object = memoryObject(Buffer.concat(sealed));
    await target.create(objectName(object.sha256), object);
    written += object.bytes;
    for (const { file, offset } of files) await onFile({ ...file, pack: object.sha256, offset });
    [files, parts, bytes] = [[], [], 0];
  }

  return {
    async add(file, content) {
      files.push({ file, offset: bytes });
      parts.push(content);
      bytes += content.length;
      if (bytes >= PACK_BYTES) await end();
    },
    end,
    written: () => written,
  };
}
