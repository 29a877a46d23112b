import { DICOM_AT_START, type Needle } from './needles.ts';

/** Looks for signs in one stream of bytes, whatever the pieces in which it comes. */
export interface Scanner {
  push(chunk: Uint8Array): void;
  /** Signs found so far. */
  readonly found: ReadonlySet<string>;
  readonly bytes: number;
}

export function createScanner(needles: readonly Needle[]): Scanner {
  const overlap = Math.max(0, ...needles.map(({ bytes }) => bytes.length - 1));
  const found = new Set<string>();
  let tail: Buffer = Buffer.alloc(0);
  let start: Buffer = Buffer.alloc(0);
  let seen = 0;

  return {
    found,
    get bytes() {
      return seen;
    },
    push(chunk) {
      const { at, bytes, sign } = DICOM_AT_START;
      if (start.length < at + bytes.length) {
        start = Buffer.concat([start, chunk.subarray(0, at + bytes.length)]);
        if (start.subarray(at, at + bytes.length).equals(bytes)) found.add(sign);
      }
      const window = tail.length === 0 ? Buffer.from(chunk) : Buffer.concat([tail, chunk]);
      for (const needle of needles) {
        if (!found.has(needle.sign) && window.includes(needle.bytes)) found.add(needle.sign);
      }
      tail = Buffer.from(window.subarray(Math.max(0, window.length - overlap)));
      seen += chunk.length;
    },
  };
}
