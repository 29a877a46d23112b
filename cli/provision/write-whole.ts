import { join } from 'node:path';
import { makeFolder, replaceFile } from '../../appliance/durable-file.ts';

/** Puts a file of a home in place, for its owner alone, and makes the folder where it is missing. */
export async function writeWhole(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  await makeFolder(folder);
  await replaceFile(join(folder, name), content, 0o600);
}
