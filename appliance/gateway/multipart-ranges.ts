import type { ByteRange } from './byte-range.ts';
import type { OpenedRecord, StoredMeta } from './store-needs.ts';

export interface MultipartRanges {
  readonly contentType: string;
  readonly length: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Several ranges of one version as multipart/byteranges (RFC 9110, 14.6). The first is open already; each of the others is
 * opened, and logged, when its turn comes.
 */
export function multipartRanges(
  { meta, ranges, boundary }: { meta: StoredMeta; ranges: readonly ByteRange[]; boundary: string },
  first: OpenedRecord,
  open: (range: ByteRange) => Promise<OpenedRecord>,
): MultipartRanges {
  const text = new TextEncoder();
  const headOf = ({ start, end }: ByteRange) =>
    `\r\n--${boundary}\r\nContent-Type: ${meta.contentType}\r\nContent-Range: bytes ${start}-${end - 1}/${meta.bytes}\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  const lengths = ranges.map((range) => headOf(range).length + range.end - range.start);

  async function* body(): AsyncGenerator<Uint8Array, void, void> {
    for (const [index, range] of ranges.entries()) {
      yield text.encode(headOf(range));
      yield* (index === 0 ? first : await open(range)).body;
    }
    yield text.encode(tail);
  }
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    length: lengths.reduce((sum, length) => sum + length, tail.length),
    body: body(),
  };
}
