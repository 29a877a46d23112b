import { gzipSync } from 'node:zlib';
import type { Architecture } from './base-lock.ts';
import type { Image } from './oci.ts';
import type { ImageSet } from './role-image.ts';
import type { ImageRole } from './role-specs.ts';

export interface ImageDigests {
  /** `NAME:TAG` in an engine. */
  readonly reference: string;
  /** The image's id in Docker and Podman. */
  readonly id: string;
  /** Of the OCI manifest. */
  readonly manifest: string;
  readonly layers: readonly string[];
}

/**
 * What a version's images are, to the bit: dist/images/digests.lock.json. It goes with a release and not into git, where every commit
 * of the application would change it; the base's digests do not depend on our code and are in images/base.lock.json.
 */
export interface DigestLock {
  readonly version: string;
  readonly architecture: Architecture;
  readonly created: number;
  readonly base: ImageDigests;
  readonly roles: Partial<Record<ImageRole, ImageDigests>>;
}

export function digestLockOf({ version, architecture, inputs, base, roles }: ImageSet, created?: number): DigestLock {
  return {
    version,
    architecture,
    created: created ?? inputs.epoch,
    base: digestsOf(base),
    roles: Object.fromEntries(roles.map(({ role, image }) => [role, digestsOf(image)])),
  };
}

function digestsOf({ name, tag, id, manifestDigest, layers }: Image): ImageDigests {
  return { reference: `${name}:${tag}`, id, manifest: manifestDigest, layers: layers.map(({ digest }) => digest) };
}

/** Where two builds differ, in words; empty when they are the same. */
export function differences(ours: DigestLock, theirs: DigestLock): string[] {
  const found: string[] = [];
  const compare = (name: string, left: ImageDigests | undefined, right: ImageDigests | undefined): void => {
    if (left === undefined || right === undefined) return;
    for (const field of ['id', 'manifest', 'reference'] as const) {
      if (left[field] !== right[field]) found.push(`${name}: ${field} ${left[field]} is not ${right[field]}`);
    }
  };
  compare('base', ours.base, theirs.base);
  for (const role of Object.keys(ours.roles) as ImageRole[]) compare(role, ours.roles[role], theirs.roles[role]);
  return found;
}

export interface LayerSize {
  readonly name: string;
  readonly bytes: number;
  /** gzip, level 6: what a registry would store and a site would download. */
  readonly compressedBytes: number;
}

export function layerSizes({ base, roles }: ImageSet): LayerSize[] {
  const size = (name: string, tar: Uint8Array): LayerSize => ({
    name,
    bytes: tar.length,
    compressedBytes: gzipSync(tar, { level: 6 }).length,
  });
  return [...base.layers.map(({ tar }) => size('base', tar)), ...roles.map(({ role, layer }) => size(role, layer.tar))];
}
