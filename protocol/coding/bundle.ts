/** Small blobs travel together: a holder sees bundles of one length and learns neither how many blobs there are nor their lengths. */
import { NectarError } from '../errors.ts';

/** A blob of at most this many bytes goes into a bundle. */
export const MAX_BUNDLED_BYTES = 256 * 1024;
/** Every bundle has this length; what its blobs leave free is random. */
export const BUNDLE_BYTES = 4 * 1024 * 1024;

/** Where a blob stands. The owner's index keeps it: the bundle itself says nothing of its content. */
export interface BundledBlob {
  /** Its place in the list that was packed. */
  readonly blob: number;
  readonly offset: number;
  readonly length: number;
}

export interface Bundle {
  readonly blobs: readonly BundledBlob[];
  /** Bytes that the blobs take; the rest is to be filled at random. */
  readonly used: number;
}

/**
 * Packs blobs in random order, each into the first bundle that has room, and returns the bundles in random order.
 * @param random a whole number from 0 to below its argument, each as likely
 * @throws CODING_INPUT_INVALID for a length that no bundled blob has
 */
export function packBundles(lengths: readonly number[], random: (below: number) => number): Bundle[] {
  for (const length of lengths) {
    if (!Number.isInteger(length) || length < 1 || length > MAX_BUNDLED_BYTES)
      throw new NectarError('CODING_INPUT_INVALID', { field: 'blob', problem: `${length} bytes are not bundled` });
  }
  const bundles: { blobs: BundledBlob[]; used: number }[] = [];
  for (const blob of shuffled(lengths.keys(), random)) {
    const length = lengths[blob] ?? 0;
    let bundle = bundles.find(({ used }) => used + length <= BUNDLE_BYTES);
    if (bundle === undefined) {
      bundle = { blobs: [], used: 0 };
      bundles.push(bundle);
    }
    bundle.blobs.push({ blob, offset: bundle.used, length });
    bundle.used += length;
  }
  return shuffled(bundles, random);
}

/** Fisher and Yates. */
function shuffled<T>(items: Iterable<T>, random: (below: number) => number): T[] {
  const list = [...items];
  for (let last = list.length - 1; last > 0; last--) {
    const other = random(last + 1);
    [list[last], list[other]] = [list[other] as T, list[last] as T];
  }
  return list;
}

/** The bytes of a bundle. @param fill random bytes, at least as many as the blobs leave free */
export function writeBundle(
  { blobs, used }: Bundle,
  bytesOf: (blob: number) => Uint8Array,
  fill: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(BUNDLE_BYTES);
  for (const { blob, offset, length } of blobs) {
    const content = bytesOf(blob);
    if (content.length !== length)
      throw new NectarError('CODING_INPUT_INVALID', {
        field: 'blob',
        problem: `${content.length} bytes, not ${length}`,
      });
    bytes.set(content, offset);
  }
  if (fill.length < BUNDLE_BYTES - used)
    throw new NectarError('CODING_INPUT_INVALID', { field: 'fill', problem: 'too few random bytes' });
  bytes.set(fill.subarray(0, BUNDLE_BYTES - used), used);
  return bytes;
}
