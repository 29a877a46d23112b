import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import { VERSION } from '../../version.ts';
import { isProgramArchive } from './unpack-program.ts';
import type { BundlePart } from './write-bundle.ts';

const IMAGE_ARCHIVE = /^nectar-byon-.+-linux-(amd64|arm64)\.tar$/;
const INSTALLER = 'install.sh';
const LOCK = 'digests.lock.json';

/** What `npm run program` and `npm run images -- build` left: the program with all that it runs with, the images, their digests. */
export async function collectParts(dist: string): Promise<BundlePart[]> {
  const images = join(dist, 'images');
  const names = await list(images);
  const archives = names.filter((name) => IMAGE_ARCHIVE.test(name));
  if (archives.length === 0 || !names.includes(LOCK)) throw new NectarError('BUNDLE_PART_MISSING', { part: 'images' });
  const program = join(dist, 'program');
  const built = await list(program);
  const programs = built.filter(isProgramArchive).filter((name) => name.startsWith(`nectar-byon-${VERSION}-`));
  if (programs.length === 0 || !built.includes(INSTALLER))
    throw new NectarError('BUNDLE_PART_MISSING', { part: `program ${VERSION}` });
  return [
    { name: LOCK, path: join(images, LOCK) },
    { name: INSTALLER, path: join(program, INSTALLER) },
    ...programs.map((name) => ({ name, path: join(program, name) })),
    ...archives.map((name) => ({ name, path: join(images, name) })),
  ];
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
