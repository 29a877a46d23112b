/** What a dynamically linked program or library asks the loader for. */
export interface ElfNeeds {
  /** Path of the loader (PT_INTERP); undefined for a library. */
  readonly interpreter: string | undefined;
  /** Library names (DT_NEEDED), as written in the file. */
  readonly needed: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Reads the dynamic section of a 64-bit little-endian ELF file (System V gABI, chapter 5), so that the image gets exactly the
 * libraries that its programs name and not whatever a package happens to hold. Throws where the file is no such ELF.
 */
export function parseElfNeeds(bytes: Uint8Array): ElfNeeds {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const segments = readSegments(file);
  const text = (offset: number): string => file.toString('latin1', offset, file.indexOf(0, offset));
  const interp = segments.find(({ type }) => type === PT_INTERP);
  const interpreter = interp === undefined ? undefined : text(interp.offset);

  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return { interpreter, needed: [] };
  const names: bigint[] = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const [tag, value] = [file.readBigInt64LE(at), file.readBigUInt64LE(at + 8)];
    if (tag === 0n) break;
    if (tag === DT_NEEDED) names.push(value);
    if (tag === DT_STRTAB) strings = offsetOf(segments, Number(value));
  }
  return { interpreter, needed: names.map((name) => text(strings + Number(name))) };
}

function readSegments(file: Buffer): Segment[] {
  const [start, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      size: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function offsetOf(segments: readonly Segment[], address: number): number {
  const holder = segments.find(
    (segment) => segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.size,
  );
  if (holder === undefined) throw new Error('the string table of this ELF file lies in no segment');
  return holder.offset + address - holder.address;
}
