import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import { RELEASE_FILES } from '../../release/verify-release.ts';
import { VERSION } from '../../version.ts';
import { isProgramArchive } from './unpack-program.ts';
import type { BundlePart } from './write-bundle.ts';

const IMAGE_ARCHIVE = /^nectar-byon-.+-linux-(amd64|arm64)\.tar$/;
const INSTALLER = 'install.sh';
const LOCK = 'digests.lock.json';

/**
 * What `npm run program` and `npm run images -- build` left: the program with all that it runs with, the images, their digests; and,
 * where a release's folder is named, its signatures.
 *
 * @throws NectarError BUNDLE_PART_MISSING
 */
export async function collectParts(dist: string, release?: string): Promise<BundlePart[]> {
  const signatures = release === undefined ? [] : await collectSignatures(release);
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
    ...signatures,
    { name: LOCK, path: join(images, LOCK) },
    { name: INSTALLER, path: join(program, INSTALLER) },
    ...programs.map((name) => ({ name, path: join(program, name) })),
    ...archives.map((name) => ({ name, path: join(images, name) })),
  ];
}

/** All of them: a release with one signature is one whose other signature somebody took away. */
async function collectSignatures(release: string): Promise<BundlePart[]> {
  const present = await list(release);
  return Object.values(RELEASE_FILES).map((name) => {
    if (!present.includes(name)) throw new NectarError('BUNDLE_PART_MISSING', { part: name });
    return { name, path: join(release, name) };
  });
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
