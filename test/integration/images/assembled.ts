import { hostArchitecture } from '../../../images/base-lock.ts';
import { assembleImages, type ImageSet } from '../../../images/role-image.ts';
import { ROLES } from '../../../images/role-specs.ts';
import { decodeTar, type ReadEntry } from '../../../images/tar.ts';

let built: Promise<ImageSet> | undefined;

/** All images of this source, assembled once per test file. */
export function assembled(): Promise<ImageSet> {
  built ??= assembleImages(hostArchitecture(), ROLES);
  return built;
}

/** Every member of every layer of an image, base first. */
export function membersOf(image: ImageSet['base']): ReadEntry[] {
  return image.layers.flatMap(({ tar }) => [...decodeTar(tar)]);
}

export const isFile = ({ type }: ReadEntry): boolean => type === '0';
