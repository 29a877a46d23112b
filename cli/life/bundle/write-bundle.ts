import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { encodeTarHeader, TAR_BLOCK_BYTES, tarPadding } from '../../../protocol/backup/tar-header.ts';
import { NectarError } from '../../../protocol/errors.ts';

export const BUNDLE_CHECKSUMS = 'SHA256SUMS';
export const BUNDLE_MANIFEST = 'bundle.json';

/** A file on its way into an offline bundle. */
export interface BundlePart {
  /** Name in the bundle, without folders. */
  readonly name: string;
  readonly path: string;
}

export interface BundleManifest {
  readonly format: 'nectar-byon-bundle';
  readonly version: 1;
  readonly program: string;
  readonly architecture: string;
  readonly createdAt: string;
}

/** Hashes every part first: its checksums come before what they are about, so that a load stops at the first altered file. */
async function checksumsOf(parts: readonly BundlePart[], manifest: Uint8Array, signal?: AbortSignal): Promise<string> {
  const lines = [`${createHash('sha256').update(manifest).digest('hex')}  ${BUNDLE_MANIFEST}\n`];
  for (const { name, path } of parts) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
    lines.push(`${hash.digest('hex')}  ${name}\n`);
  }
  return lines.join('');
}

/** One tar: checksums, manifest, parts. */
export async function* writeBundle(
  parts: readonly BundlePart[],
  manifest: BundleManifest,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const modifiedAt = Math.floor(Date.parse(manifest.createdAt) / 1000);
  const json = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  const checksums = Buffer.from(await checksumsOf(parts, json, signal));
  for (const [path, bytes] of [
    [BUNDLE_CHECKSUMS, checksums],
    [BUNDLE_MANIFEST, json],
  ] as const) {
    yield encodeTarHeader({ path, size: bytes.length, modifiedAt });
    yield bytes;
    yield new Uint8Array(tarPadding(bytes.length));
  }
  for (const { name, path } of parts) {
    const { size } = await stat(path);
    yield encodeTarHeader({ path: name, size, modifiedAt });
    let sent = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      sent += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    if (sent !== size) throw new NectarError('CLI_FILE_CHANGED', { path });
    yield new Uint8Array(tarPadding(size));
  }
  yield new Uint8Array(2 * TAR_BLOCK_BYTES);
}
