import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { replaceFile } from '../../../appliance/durable-file.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { CONTAINER_ROLES } from '../../provision/docker/role-table.ts';
import type { DockerTarget } from '../../provision/docker/target-file.ts';
import { readSmallFile } from '../backup/small-files.ts';
import { isSameImages } from './image-set.ts';
import type { TargetImages } from './target-images.ts';

/** More of the past nobody goes back to. */
const MAX_KEPT = 3;
const imageId = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });
const listFile = Type.Array(
  Type.Object({
    programVersion: Type.String({ maxLength: 64 }),
    images: Type.Object({ gateway: imageId, store: imageId, audit: imageId, rollup: imageId }),
  }),
  { maxItems: MAX_KEPT },
);

/**
 * The versions before the one that target.json calls the previous one, newest first: after a rollback it is the next way back. A file of
 * its own, since a program of before takes no target.json with more in it. Empty where it is damaged or absent.
 */
async function readEarlierImages(home: string): Promise<readonly TargetImages[]> {
  try {
    const bytes = await readSmallFile(listPath(home));
    const value: unknown = bytes === undefined ? [] : JSON.parse(Buffer.from(bytes).toString('utf8'));
    return Value.Check(listFile, value) ? value : [];
  } catch {
    return [];
  }
}

/** Before target.json names another previous version than this one; noted again, it is there once. */
export async function noteEarlierImages(home: string, { previous }: DockerTarget): Promise<void> {
  if (previous === undefined) return;
  const others = (await readEarlierImages(home)).filter(({ images }) => !isSameImages(images, previous.images));
  await writeList(home, [previous, ...others].slice(0, MAX_KEPT));
}

/** Once `to` runs again after a rollback: what came after it is no way back any more. Returns where to go back to from there. */
export async function leaveForEarlier(home: string, to: TargetImages): Promise<TargetImages | undefined> {
  const list = await readEarlierImages(home);
  const at = list.findIndex(({ images }) => isSameImages(images, to.images));
  const left = list.slice(at + 1);
  if (at >= 0) await writeList(home, left);
  return left[0];
}

async function writeList(home: string, list: readonly TargetImages[]): Promise<void> {
  const kept = list.map(({ programVersion, images }) => ({
    programVersion,
    images: Object.fromEntries(CONTAINER_ROLES.map((role) => [role, images[role]])),
  }));
  await makeFolders(join(home, 'run'), 0o700);
  await replaceFile(listPath(home), `${JSON.stringify(kept)}\n`, 0o600);
}

function listPath(home: string): string {
  return join(home, 'run', 'earlier-images.json');
}
