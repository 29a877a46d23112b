/** Half-open: `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type RangeAnswer = 'whole' | 'unsatisfiable' | readonly ByteRange[];

const MAX_HEADER_CHARS = 1_024;
/** Each range is a read of its own, with a leaf of its own. */
const MAX_RANGES = 16;
const RANGE_SET = /^bytes=(.*)$/i;
const RANGE_SPEC = /^(\d*)-(\d*)$/;

/**
 * What a Range header asks for of `size` bytes (RFC 9110, 14.1.2 and 14.2): ranges within the size, in the order asked for;
 * `whole` when the header is to be ignored (none, another unit, not well formed, too many ranges, ranges that overlap);
 * `unsatisfiable` when it is well formed and no range of it begins inside.
 */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  const set = header === undefined || header.length > MAX_HEADER_CHARS ? undefined : RANGE_SET.exec(header)?.[1];
  if (set === undefined) return 'whole';
  // RFC 9110, 5.6.1: empty elements of a list do not count.
  const specs = set
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0 || specs.length > MAX_RANGES) return 'whole';
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === 'invalid') return 'whole';
    if (range !== undefined) ranges.push(range);
  }
  if (ranges.length === 0) return 'unsatisfiable';
  // No bytes can stand for the suffix of an empty record.
  if (ranges.some(({ start, end }) => start === end)) return 'whole';
  return overlap(ranges) ? 'whole' : ranges;
}

/** Undefined: well formed, and outside. Numbers of any length mean what they say: what is too large for us is beyond any end. */
function parseSpec(spec: string, size: number): ByteRange | undefined | 'invalid' {
  const [, first = '', last = ''] = RANGE_SPEC.exec(spec) ?? [];
  if (first === '' && last === '') return 'invalid';
  if (first === '')
    return BigInt(last) === 0n ? undefined : { start: Math.max(0, size - clamp(last, size)), end: size };
  if (last !== '' && BigInt(last) < BigInt(first)) return 'invalid';
  if (BigInt(first) >= BigInt(size)) return undefined;
  return { start: Number(first), end: last === '' ? size : Math.min(clamp(last, size) + 1, size) };
}

function clamp(digits: string, size: number): number {
  return BigInt(digits) > BigInt(size) ? size : Number(digits);
}

/** A few bytes of header must not make a large answer. */
function overlap(ranges: readonly ByteRange[]): boolean {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  return sorted.some(({ start }, index) => start < (sorted[index - 1]?.end ?? 0));
}
