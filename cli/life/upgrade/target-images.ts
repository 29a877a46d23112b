import type { DockerTarget } from '../../provision/docker/target-file.ts';
import { type ImageSetIds, isSameImages } from './image-set.ts';

/** One version of the program, as target.json names it. */
export type TargetImages = Pick<DockerTarget, 'programVersion' | 'images'>;

export function imagesOf({ programVersion, images }: DockerTarget): TargetImages {
  return { programVersion, images };
}

/** The images that the node had before an upgrade to others: also where one to these very images was interrupted. */
export function imagesBefore(target: DockerTarget, to: ImageSetIds): TargetImages {
  return target.previous !== undefined && isSameImages(target.images, to.images) ? target.previous : imagesOf(target);
}

/** What target.json says from the beginning of an upgrade on; the same when it is begun again. */
export function targetAfter(target: DockerTarget, to: ImageSetIds): DockerTarget {
  return { ...target, programVersion: to.version, images: to.images, previous: imagesBefore(target, to) };
}

/** What it says again when the upgrade goes back by itself. */
export function targetBefore(target: DockerTarget, to: ImageSetIds): DockerTarget {
  if (!isSameImages(target.images, to.images)) return target;
  const { previous: _, ...rest } = target;
  return { ...rest, ...imagesBefore(target, to) };
}
