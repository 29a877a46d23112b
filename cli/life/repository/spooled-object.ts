import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../../../appliance/durable-file.ts';
import type { ObjectContent } from './target.ts';

/** Content whose name is its digest has to be whole before it can be written: it waits in a file. */
export interface SpooledObject extends ObjectContent {
  drop(): Promise<void>;
}

export async function spoolObject(source: AsyncIterable<Uint8Array>, folder: string): Promise<SpooledObject> {
  const path = join(folder, `object-${randomBytes(8).toString('hex')}`);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of source) {
        hash.update(chunk);
        bytes += chunk.length;
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw diskError(error, folder);
  }
  return {
    bytes,
    sha256: hash.digest('hex'),
    read: () => createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>,
    drop: () => rm(path, { force: true }),
  };
}

/** Content that is in memory. */
export function memoryObject(content: Uint8Array): ObjectContent {
  return {
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    async *read() {
      yield content;
    },
  };
}
