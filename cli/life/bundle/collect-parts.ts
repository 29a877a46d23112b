import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import type { BundlePart } from './write-bundle.ts';

const IMAGE_ARCHIVE = /^nectar-byon-.+-linux-(amd64|arm64)\.tar$/;
const PACKAGE = /^nectar-byon-.+\.tgz$/;
const LOCK = 'digests.lock.json';

/** What `npm run bundle`, `npm pack` and `scripts/images.ts build` left: the program as an npm package, the images, their digests. */
export async function collectParts(options: {
  readonly dist: string;
  readonly program: string;
}): Promise<BundlePart[]> {
  const images = join(options.dist, 'images');
  const names = await list(images);
  const archives = names.filter((name) => IMAGE_ARCHIVE.test(name));
  if (archives.length === 0 || !names.includes(LOCK)) throw new NectarError('BUNDLE_PART_MISSING', { part: 'images' });
  const packed = (await list(options.program)).filter((name) => PACKAGE.test(name)).toSorted();
  const program = packed.at(-1);
  if (program === undefined) throw new NectarError('BUNDLE_PART_MISSING', { part: 'npm package of the program' });
  return [
    { name: LOCK, path: join(images, LOCK) },
    { name: program, path: join(options.program, program) },
    ...archives.map((name) => ({ name, path: join(images, name) })),
  ];
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
