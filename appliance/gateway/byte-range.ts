import { NectarError } from '../../protocol/errors.ts';

/** Half-open: `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Longer than any single range that fits into safe integers. */
const MAX_HEADER_CHARS = 64;
const SINGLE_RANGE = /^bytes=[ \t]*(\d{0,16})-(\d{0,16})[ \t]*$/i;

/**
 * The one range that a Range header asks for, cut to `size`; undefined without one, or in a unit that is not bytes
 * (RFC 9110, 14.2: to be ignored). Several ranges are refused: a few bytes of header must not make a large answer.
 *
 * @throws NectarError GATEWAY_RANGE_INVALID
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined || !/^bytes[ \t]*=/i.test(header)) return undefined;
  const match = header.length > MAX_HEADER_CHARS ? null : SINGLE_RANGE.exec(header);
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? ''];
  const refused = new NectarError('GATEWAY_RANGE_INVALID', { bytes: size });
  if (match === null || (first === '' && last === '')) throw refused;
  if (first === '') {
    const length = Math.min(Number(last), size);
    if (length === 0) throw refused;
    return { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= size || (last !== '' && Number(last) < start)) throw refused;
  return { start, end };
}
