import { readFile, stat } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { NectarError } from '../../../protocol/errors.ts';
import type { ImageLock } from '../../harden/sources/image-lock.ts';
import type { Engine } from '../../provision/docker/engine.ts';
import { idOf, imageName } from '../../provision/docker/plan-docker.ts';
import { CONTAINER_ROLES, type ContainerRole } from '../../provision/docker/role-table.ts';

const MAX_FILE_BYTES = 1024 * 1024;

const image = Type.Object({ id: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }) });
/** Of dist/images/digests.lock.json what an upgrade needs; the rest is for whoever verifies the images. */
const imageSetFile = Type.Object({
  version: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.-]{1,64})?$' }),
  roles: Type.Object({ gateway: image, store: image, audit: image, rollup: image }),
});

/** One version of the program as four image ids: an id is the content, a tag may move. */
export interface ImageSetIds {
  readonly version: string;
  readonly images: Readonly<Record<ContainerRole, string>>;
}

/**
 * The images that a digests.lock.json names.
 *
 * @param trust is given the very bytes that are read, and throws when nobody signed them
 * @throws NectarError CLI_FILE_UNREADABLE, CLI_USAGE, and what `trust` throws
 */
export async function readImageSet(path: string, trust?: (bytes: Uint8Array) => Promise<void>): Promise<ImageSetIds> {
  let value: unknown;
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    const bytes = await readFile(path);
    await trust?.(bytes);
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof NectarError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: code ?? message }, { cause: error });
  }
  if (!Value.Check(imageSetFile, value)) {
    throw new NectarError('CLI_USAGE', {
      problem: `${path} does not name the images of four roles (digests.lock.json)`,
    });
  }
  const { version, roles } = value as Static<typeof imageSetFile>;
  return { version, images: perRole((role) => roles[role].id) };
}

/** The images of a version that the engine has under their usual names. @throws NectarError CLI_IMAGE_MISSING */
export async function findImageSet(engine: Engine, version: string): Promise<ImageSetIds> {
  const images = {} as Record<ContainerRole, string>;
  for (const role of CONTAINER_ROLES) {
    const name = imageName(role, version);
    const id = idOf((await engine.images.find(name))?.Id);
    if (id === undefined) throw new NectarError('CLI_IMAGE_MISSING', { image: name, engine: engine.url });
    images[role] = id;
  }
  return { version, images };
}

/**
 * Holds images found by their names against the list that came with the program; without one, or with one of another version (a clone
 * that was built before), there is nothing to hold them against.
 *
 * @throws NectarError RELEASE_ARTIFACT_FOREIGN
 */
export function requireLocked({ version, images }: ImageSetIds, lock: ImageLock | undefined, path: string): void {
  if (lock?.version !== version) return;
  const foreign = CONTAINER_ROLES.find((role) => images[role] !== lock.imageIds[role]);
  if (foreign !== undefined)
    throw new NectarError('RELEASE_ARTIFACT_FOREIGN', { path, entry: imageName(foreign, version) });
}

export function isSameImages(a: ImageSetIds['images'], b: ImageSetIds['images']): boolean {
  return CONTAINER_ROLES.every((role) => a[role] === b[role]);
}

/** Negative: `a` is older. Pre-releases of one version count as older than it, and as equal among themselves. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): number[] => (version.split(/[-+]/)[0] ?? '').split('.').map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return Number(b.includes('-')) - Number(a.includes('-'));
}

function perRole<T>(of: (role: ContainerRole) => T): Record<ContainerRole, T> {
  return Object.fromEntries(CONTAINER_ROLES.map((role) => [role, of(role)])) as Record<ContainerRole, T>;
}
