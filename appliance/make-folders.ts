import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The calls of the file system: a test looks at them. */
const nodeFolders = { mkdir, stat };

/**
 * Makes a folder and those above it that are not there, and returns the uppermost that was made; undefined when all were there. As Node's
 * own recursive mkdir, which asks for ever where a file system that makes no folders (/proc) says that a parent is missing which is there.
 *
 * @throws what mkdir(2) answers: ENOENT of such a file system too
 */
export async function makeFolders(
  path: string,
  mode = 0o777,
  files: Pick<typeof nodeFolders, 'mkdir' | 'stat'> = nodeFolders,
): Promise<string | undefined> {
  const folder = resolve(path);
  const make = async (): Promise<boolean> => {
    try {
      await files.mkdir(folder, { mode });
      return true;
    } catch (error) {
      if (await isFolder(folder, files)) return false;
      throw error;
    }
  };
  try {
    return (await make()) ? folder : undefined;
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    const first = await makeFolders(above, mode, files);
    // What is missing now is no parent.
    return (await make()) ? (first ?? folder) : first;
  }
}

/** Whatever mkdir answered: a read-only file system says so of a folder that is there too. */
async function isFolder(path: string, files: Pick<typeof nodeFolders, 'stat'>): Promise<boolean> {
  return files.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
