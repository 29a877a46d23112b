import type { TreeHead } from '../../protocol/merkle/verify.ts';
import { TERM_BYTES } from './bundle-terms.ts';
import type { Disk } from './disk.ts';
import { fileKeys, openFile, sealFile } from './file-seal.ts';

/** Bundles whose terms share a file: some 64 KiB, for 16,384 leaves. */
export const CHUNK_BUNDLES = 64;
const TERMS_FOLDER = 'terms';
/** size (8) | root (32) | which bundles of the chunk follow, a bit each (8). */
const HEADER_BYTES = 48;
const ROOT_AT = 8;
const PRESENT_AT = 40;

/** What bundles of a log speak of, with the head of the tree that they were read from. */
export interface KeptChunk {
  readonly at: TreeHead;
  /** By bundle number. */
  readonly bundles: ReadonlyMap<number, Uint8Array>;
}

/** Terms on disk, by chunk: nonce | ciphertext | tag, under a key of its own; the origin and the chunk's number are bound. */
export interface TermsFile {
  /** undefined when there is none that opens. */
  read(chunk: number): Promise<KeptChunk | undefined>;
  write(chunk: number, kept: KeptChunk): Promise<void>;
}

export function createTermsFile(of: {
  readonly disk: Pick<Disk, 'read' | 'replace'>;
  /** The secret of bodies. */
  readonly bodyKey: Uint8Array;
  readonly origin: string;
  readonly randomBytes: (length: number) => Uint8Array;
}): TermsFile {
  const { disk, origin } = of;
  const keys = fileKeys(of.bodyKey, origin, 'nectar/audit-terms/1');
  const associated = (chunk: number): Buffer => Buffer.from(`nectar/audit-terms/1\n${origin}\n${chunk}`);
  const pathOf = (chunk: number): string => `${TERMS_FOLDER}/${String(chunk).padStart(6, '0')}`;

  return {
    async read(chunk) {
      const sealed = await disk.read(pathOf(chunk)).catch(() => undefined);
      const plain = sealed === undefined ? undefined : openFile(keys, associated(chunk), sealed);
      return plain === undefined || plain.length < HEADER_BYTES ? undefined : decode(chunk, plain);
    },
    async write(chunk, kept) {
      const bytes = sealFile(keys, associated(chunk), { plain: encode(chunk, kept), randomBytes: of.randomBytes });
      await disk.replace([{ path: pathOf(chunk), bytes }]);
    },
  };
}

function encode(chunk: number, { at, bundles }: KeptChunk): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64BE(BigInt(at.size));
  header.set(at.root, ROOT_AT);
  const parts: Uint8Array[] = [header];
  for (let i = 0; i < CHUNK_BUNDLES; i++) {
    const bits = bundles.get(chunk * CHUNK_BUNDLES + i);
    if (bits === undefined) continue;
    const byte = PRESENT_AT + (i >> 3);
    header[byte] = (header[byte] ?? 0) | (1 << (i & 7));
    parts.push(bits);
  }
  return Buffer.concat(parts);
}

/** Sealed by us: trusted, but for its length, which another version may have otherwise. */
function decode(chunk: number, plain: Buffer): KeptChunk | undefined {
  const bundles = new Map<number, Uint8Array>();
  for (let i = 0; i < CHUNK_BUNDLES; i++) {
    if (((plain[PRESENT_AT + (i >> 3)] ?? 0) & (1 << (i & 7))) === 0) continue;
    const from = HEADER_BYTES + bundles.size * TERM_BYTES;
    bundles.set(chunk * CHUNK_BUNDLES + i, Uint8Array.from(plain.subarray(from, from + TERM_BYTES)));
  }
  if (plain.length !== HEADER_BYTES + bundles.size * TERM_BYTES) return undefined;
  const size = Number(plain.readBigUInt64BE());
  return { at: { size, root: Uint8Array.from(plain.subarray(ROOT_AT, PRESENT_AT)) }, bundles };
}
