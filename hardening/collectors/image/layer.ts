import { readTar, type TarEntry } from '../read-tar.ts';

/** Of all layers of an archive together: a base of Debian has some ten thousand. */
const MAX_FILES = 500_000;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Enough to know a key by its beginning. */
const HEAD_BYTES = 1024;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const CAPABILITY = 'SCHILY.xattr.security.capability';
/** Files that are read as a whole: bills of materials, lists of packages. */
const KEPT = /(\.cdx\.json$|^var\/lib\/dpkg\/status$)/;

/** What matters of one file of a layer. */
export interface LayerFile {
  readonly type: TarEntry['type'];
  readonly mode: number;
  readonly bytes: number;
  readonly hasCapability: boolean;
  readonly beginsWithPrivateKey: boolean;
  /** Of those that are read as a whole. */
  readonly text?: string;
}

export interface Layer {
  readonly files: ReadonlyMap<string, LayerFile>;
  /** Paths that this layer takes away from those below it. */
  readonly removed: ReadonlySet<string>;
  /** Folders of which nothing below it shows through. */
  readonly opaque: ReadonlySet<string>;
}

/** Reads the tar of one layer (OCI image-spec, layer.md). */
export async function readLayer(source: AsyncIterable<Uint8Array>): Promise<Layer> {
  const files = new Map<string, LayerFile>();
  const removed = new Set<string>();
  const opaque = new Set<string>();
  for await (const entry of readTar(source)) {
    const at = entry.path.lastIndexOf('/') + 1;
    const [folder, name] = [entry.path.slice(0, at), entry.path.slice(at)];
    if (name === OPAQUE) opaque.add(folder.slice(0, -1));
    else if (name.startsWith(WHITEOUT)) removed.add(folder + name.slice(WHITEOUT.length));
    else files.set(entry.path, await readFile(entry));
    if (files.size > MAX_FILES) throw new Error(`a layer has more than ${MAX_FILES} files`);
  }
  return { files, removed, opaque };
}

async function readFile(entry: TarEntry): Promise<LayerFile> {
  const { type, mode, bytes, records } = entry;
  const isKept = KEPT.test(entry.path);
  if (isKept && bytes > MAX_KEPT_BYTES) throw new Error(`${entry.path} is longer than ${MAX_KEPT_BYTES} bytes`);
  const text = type === 'file' ? await headOf(entry, isKept ? bytes : HEAD_BYTES) : '';
  return {
    type,
    mode,
    bytes,
    hasCapability: CAPABILITY in records,
    beginsWithPrivateKey: /^\s*-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/.test(text),
    ...(isKept && { text }),
  };
}

async function headOf(entry: TarEntry, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of entry.content()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most).toString('utf8');
}

/** The files that an image shows: of each path the highest layer's, unless one above took it away. */
export function mergeLayers(layers: readonly Layer[]): Map<string, LayerFile> {
  const merged = new Map<string, LayerFile>();
  for (const { files, removed, opaque } of layers) {
    for (const path of merged.keys()) {
      if (isBelowAny(path, removed) || isBelowAny(parentOf(path), opaque)) merged.delete(path);
    }
    for (const [path, file] of files) merged.set(path, file);
  }
  return merged;
}

function isBelowAny(path: string, folders: ReadonlySet<string>): boolean {
  if (folders.size === 0) return false;
  for (let at = path; at !== ''; at = parentOf(at)) if (folders.has(at)) return true;
  return folders.has('');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
