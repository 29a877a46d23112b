import { NectarError } from '../protocol/errors.ts';

/** A checked `--range`: what goes into the Range header. */
export type ByteRange = { readonly from: number; readonly to?: number } | { readonly last: number };

/**
 * `0-99` (the first hundred bytes, both ends included as in HTTP), `100-` (from there on), `-50` (the last fifty).
 *
 * @throws NectarError CLI_USAGE
 */
export function parseByteRange(text: string): ByteRange {
  const match = /^(\d{1,15})?-(\d{1,15})?$/.exec(text);
  const from = match?.[1] === undefined ? undefined : Number(match[1]);
  const to = match?.[2] === undefined ? undefined : Number(match[2]);
  if (from !== undefined && (to === undefined || to >= from)) return to === undefined ? { from } : { from, to };
  if (match !== null && from === undefined && to !== undefined && to > 0) return { last: to };
  throw new NectarError('CLI_USAGE', { problem: `the range ${text} is not of the form 0-99, 100- or -50` });
}

export function rangeHeader(range: ByteRange): string {
  return 'last' in range ? `bytes=-${range.last}` : `bytes=${range.from}-${range.to ?? ''}`;
}

/** How many bytes a 206 answer promises, from `Content-Range: bytes 0-99/1000`; undefined when it is malformed. */
export function contentRangeLength(header: string | undefined): number | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header ?? '');
  if (match === null) return undefined;
  return Number(match[2]) - Number(match[1]) + 1;
}
