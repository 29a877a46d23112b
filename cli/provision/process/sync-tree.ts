import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes a folder's own entries durable: a rename is, only once this returned. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

/** Makes every file and folder below durable, so that a rename afterwards never shows a home with empty files. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFolder(path);
  }
  await syncFolder(folder);
}
