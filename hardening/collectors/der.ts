/** One element of DER (X.690). */
export interface DerElement {
  readonly tag: number;
  readonly value: Uint8Array;
}

export const DER_TAG = { boolean: 0x01, octets: 0x04, oid: 0x06, sequence: 0x30 } as const;

/** The elements of a content, one after the other. Throws for what is no DER: it came from outside. */
export function parseDer(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0x80;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || extra > 4) throw new Error('not DER');
    const start = at + 2 + extra;
    const length = extra === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, octet) => sum * 256 + octet, 0);
    if (start + length > bytes.length) throw new Error('not DER');
    elements.push({ tag, value: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** `1.2.840.10045.4.3.2` */
export function oidText(value: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const octet of value) {
    number = number * 128 + (octet & 0x7f);
    if ((octet & 0x80) !== 0) continue;
    numbers.push(number);
    number = 0;
  }
  const [head = 0, ...rest] = numbers;
  const root = Math.min(2, Math.trunc(head / 40));
  return [root, head - root * 40, ...rest].join('.');
}
