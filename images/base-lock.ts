import { readFileSync, writeFileSync } from 'node:fs';

/** The processors that images are made for, in Go's and OCI's words, with what npm and Debian say for them. */
export const ARCHITECTURES = {
  amd64: { npm: 'x64', triplet: 'x86_64-linux-gnu' },
  arm64: { npm: 'arm64', triplet: 'aarch64-linux-gnu' },
} as const;
export type Architecture = keyof typeof ARCHITECTURES;

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly sha256: string;
}

/** Everything that the base image is made of, to the byte. */
export interface BaseInputs {
  /** Seconds since 1970: when these versions were chosen. The time of every file and, but for a release, of every image. */
  readonly epoch: number;
  /** npm's node-linux-*; npm checks the package against package-lock.json, we the program against this. */
  readonly node: { readonly version: string; readonly sha256: string };
  readonly debian: { readonly release: string; readonly packages: readonly DebianPackage[] };
  /** Of the layer, uncompressed (OCI diff id), and of the image's configuration (its id in an engine). */
  readonly digests: { readonly layer: string; readonly image: string };
}

export type BaseLock = Partial<Record<Architecture, BaseInputs>>;

const PATH = new URL('./base.lock.json', import.meta.url);

export function hostArchitecture(): Architecture {
  if (process.platform !== 'linux') throw new Error('images are assembled on Linux');
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new Error(`no images for the processor ${process.arch}`);
}

export function readBaseLock(): BaseLock {
  return JSON.parse(readFileSync(PATH, 'utf8')) as BaseLock;
}

export function readBaseInputs(architecture: Architecture): BaseInputs {
  const inputs = readBaseLock()[architecture];
  if (inputs === undefined) {
    throw new Error(
      `images/base.lock.json has nothing for ${architecture}: run \`scripts/images.ts lock --arch ${architecture}\``,
    );
  }
  return inputs;
}

export function writeBaseLock(lock: BaseLock): void {
  writeFileSync(PATH, `${JSON.stringify(lock, undefined, 2)}\n`);
}
