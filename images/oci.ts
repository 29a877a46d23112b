import { createHash } from 'node:crypto';
import type { Architecture } from './base-lock.ts';
import { encodeTar, type TarEntry } from './tar.ts';

/** One layer, uncompressed: its digest then depends on no compressor's version. */
export interface Layer {
  /** `sha256:...` of the tar: OCI's diff id and, since nothing is compressed, its blob digest. */
  readonly digest: string;
  readonly tar: Uint8Array;
  readonly createdBy: string;
}

/** What a container takes from its image unless told otherwise (OCI image configuration, `config`). */
export interface RunConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly StopSignal: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck?: {
    readonly Test: readonly string[];
    /** Nanoseconds. */
    readonly Interval: number;
    readonly Timeout: number;
    readonly StartPeriod: number;
    readonly Retries: number;
  };
}

export interface Image {
  readonly name: string;
  readonly tag: string;
  /** `sha256:...` of the configuration: the image's id in Docker and Podman. */
  readonly id: string;
  /** `sha256:...` of the OCI manifest. */
  readonly manifestDigest: string;
  readonly layers: readonly Layer[];
  readonly config: Uint8Array;
  readonly manifest: Uint8Array;
}

export interface ImageOptions {
  readonly name: string;
  readonly tag: string;
  readonly architecture: Architecture;
  /** Seconds since 1970. */
  readonly created: number;
  readonly layers: readonly Layer[];
  readonly config: RunConfig;
}

const TYPES = {
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
};

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function createLayer(entries: readonly TarEntry[], mtime: number, createdBy: string): Layer {
  const tar = encodeTar(entries, mtime);
  return { digest: digestOf(tar), tar, createdBy };
}

/** Configuration and manifest of an image: pure, so that the same layers and options give the same id everywhere. */
export function createImage({ name, tag, architecture, created, layers, config }: ImageOptions): Image {
  const time = new Date(created * 1000).toISOString().replace('.000Z', 'Z');
  const configBytes = json({
    architecture,
    config,
    created: time,
    history: layers.map(({ createdBy }) => ({ created: time, created_by: createdBy })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: { mediaType: TYPES.config, digest: digestOf(configBytes), size: configBytes.length },
    layers: layers.map(({ digest, tar }) => ({ mediaType: TYPES.layer, digest, size: tar.length })),
  });
  return {
    name,
    tag,
    id: digestOf(configBytes),
    manifestDigest: digestOf(manifest),
    layers,
    config: configBytes,
    manifest,
  };
}

/** What a kubelet takes a name without a registry for: containerd looks by the whole name alone, and finds no other. */
const DEFAULT_REGISTRY = 'docker.io/library';

/**
 * One archive of several images, each blob once. It is an OCI image layout and what `docker load` and `podman load` take (docker
 * save's manifest.json), both pointing at the same blobs.
 */
export function encodeArchive(images: readonly Image[], mtime: number): Uint8Array {
  const blobs = new Map<string, Uint8Array>();
  for (const { layers, config, manifest } of images) {
    for (const bytes of [config, manifest, ...layers.map(({ tar }) => tar)])
      blobs.set(blobPath(digestOf(bytes)), bytes);
  }
  const file = (path: string, content: Uint8Array): TarEntry => ({ kind: 'file', path, mode: 0o644, content });
  const index = {
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: images.map(({ name, tag, manifest, manifestDigest }) => ({
      mediaType: TYPES.manifest,
      digest: manifestDigest,
      size: manifest.length,
      annotations: {
        'io.containerd.image.name': `${DEFAULT_REGISTRY}/${name}:${tag}`,
        'org.opencontainers.image.ref.name': tag,
      },
    })),
  };
  const list = images.map(({ name, tag, id, layers }) => ({
    Config: blobPath(id),
    RepoTags: [`${name}:${tag}`],
    Layers: layers.map(({ digest }) => blobPath(digest)),
  }));
  return encodeTar(
    [
      file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
      file('index.json', json(index)),
      file('manifest.json', json(list)),
      ...[...blobs].map(([path, content]) => file(path, content)),
    ],
    mtime,
  );
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
