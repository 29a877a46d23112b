import { createHash, type Hash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { openDocument } from '../document.ts';
import { readTar, type TarEntry } from '../read-tar.ts';
import { type Layer, readLayer } from './layer.ts';

const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_LAYER_BYTES = 64 * 1024 ** 3;
const MAGIC_AT = 257;
const HEAD_BYTES = 512;

/** One image of an archive, its layers from the lowest. */
export interface ArchivedImage {
  readonly layers: readonly Layer[];
  /** Of each layer, uncompressed: what OCI calls its diff id. */
  readonly diffIds: readonly string[];
  /** Of all layers, uncompressed. */
  readonly bytes: number;
}

interface StoredLayer {
  readonly layer: Layer;
  readonly diffId: string;
  readonly bytes: number;
}

/**
 * Reads what an engine saves (`docker save`: manifest.json beside layers, each once, also in the OCI layout of Docker 25) as it comes:
 * nothing is kept but what is known of the files. The result finds an image by its id.
 */
export async function readImageArchive(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<(id: string) => ArchivedImage> {
  const layers = new Map<string, StoredLayer>();
  const links = new Map<string, string>();
  let manifest: unknown;
  for await (const entry of readTar(source)) {
    signal.throwIfAborted();
    if (entry.path === 'manifest.json') manifest = JSON.parse(await readText(entry));
    else if (entry.type === 'symlink') links.set(entry.path, resolved(entry.path, entry.linkTarget));
    else if (entry.type === 'hardlink') links.set(entry.path, entry.linkTarget);
    else if (entry.type === 'file') {
      const stored = await readIfLayer(entry);
      if (stored !== undefined) layers.set(entry.path, stored);
    }
  }
  const images = openDocument(manifest, 'manifest.json').items();
  return (id) => {
    const hex = id.replace(/^sha256:/, '');
    const image = images.find((one) => one.in('Config').text().includes(hex));
    if (image === undefined) throw new Error("the engine's archive does not name the image");
    const stored = image
      .in('Layers')
      .texts()
      .map((path) => {
        const found = layers.get(path) ?? layers.get(links.get(path) ?? '');
        if (found === undefined) throw new Error(`the engine's archive lacks the layer ${path}`);
        return found;
      });
    const diffIds = stored.map(({ diffId }) => diffId);
    return {
      layers: stored.map(({ layer }) => layer),
      diffIds,
      bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  };
}

interface Counted {
  bytes: number;
  readonly hash: Hash;
}

/** Undefined for what is no layer: configurations, version files. */
async function readIfLayer(entry: TarEntry): Promise<StoredLayer | undefined> {
  const content = entry.content()[Symbol.asyncIterator]();
  const head = await takeHead(content);
  const all = rejoin(head, content);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const counted = { bytes: 0, hash: createHash('sha256') };
    // Errors of either end it; the callback is only there because a pipeline needs one.
    const unpacked = count(
      pipeline(Readable.from(all), createGunzip(), () => undefined),
      counted,
    );
    const layer = await readLayer(unpacked);
    // What follows the end of the tar must be taken too: the bytes after it belong to the next entry.
    for await (const _rest of unpacked);
    return { layer, diffId: diffIdOf(counted), bytes: counted.bytes };
  }
  const isTar = Buffer.from(head.subarray(MAGIC_AT, MAGIC_AT + 5)).toString('latin1') === 'ustar';
  // An empty layer is blocks of zeros.
  const isEmptyTar = head.length === HEAD_BYTES && entry.bytes % HEAD_BYTES === 0 && head.every((byte) => byte === 0);
  if (!isTar && !isEmptyTar) return undefined;
  const counted = { bytes: 0, hash: createHash('sha256') };
  const counting = count(all, counted);
  const layer = await readLayer(counting);
  for await (const _rest of counting);
  return { layer, diffId: diffIdOf(counted), bytes: entry.bytes };
}

function diffIdOf({ hash }: Counted): string {
  return `sha256:${hash.digest('hex')}`;
}

async function takeHead(content: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < HEAD_BYTES; ) {
    const next = await content.next();
    if (next.done === true) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(chunks);
}

async function* rejoin(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* count(source: AsyncIterable<Uint8Array>, counted: Counted): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    counted.bytes += chunk.length;
    counted.hash.update(chunk);
    if (counted.bytes > MAX_LAYER_BYTES) throw new Error('a layer grows without end when it is unpacked');
    yield chunk;
  }
}

async function readText(entry: TarEntry): Promise<string> {
  if (entry.bytes > MAX_MANIFEST_BYTES) throw new Error('the manifest of the archive is too long');
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.content()) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** A link's target, from the folder that it lies in. */
function resolved(path: string, target: string): string {
  const base = new URL(`file:///${path}`);
  return decodeURIComponent(new URL(target, base).pathname).slice(1);
}
