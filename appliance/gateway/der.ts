/** An element of DER: its tag, its content, and all of its bytes. */
export interface DerElement {
  readonly tag: number;
  readonly value: Uint8Array;
  readonly whole: Uint8Array;
}

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** [0], constructed. */
  context0: 0xa0,
} as const;

const LONG_FORM = 0x80;
const MAX_LENGTH_OCTETS = 4;

/**
 * The elements of a DER content, one after the other, without a copy. For lists that are too long for a library's tree of objects.
 *
 * @throws RangeError for what is not DER
 */
export function* derElements(bytes: Uint8Array): Generator<DerElement> {
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw new RangeError('a tag of several octets');
    const first = bytes[at + 1] ?? LONG_FORM;
    const octets = first < LONG_FORM ? 0 : first - LONG_FORM;
    if (first >= LONG_FORM && (octets === 0 || octets > MAX_LENGTH_OCTETS))
      throw new RangeError('a length out of range');
    const start = at + 2 + octets;
    const length = octets === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, octet) => sum * 256 + octet, 0);
    const end = start + length;
    if (end > bytes.length) throw new RangeError('it is cut off');
    yield { tag, value: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
    at = end;
  }
}

/** The next element, of one of these tags. */
export function nextOf(elements: Iterator<DerElement>, ...tags: readonly number[]): DerElement {
  const next = elements.next();
  if (next.done === true || !tags.includes(next.value.tag)) throw new RangeError('an element of another kind');
  return next.value;
}

/** The one element that all of these bytes are. */
export function soleElement(bytes: Uint8Array, tag: number): DerElement {
  const elements = derElements(bytes);
  const sole = nextOf(elements, tag);
  if (elements.next().done !== true) throw new RangeError('bytes after its end');
  return sole;
}

/** UTCTime or GeneralizedTime as RFC 5280 has them, in milliseconds. */
export function derTime({ tag, value }: DerElement): number {
  const text = Buffer.from(value).toString('latin1');
  const [, year = '', rest = ''] = (tag === DER.utcTime ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text) ?? [];
  const century = tag === DER.generalizedTime ? '' : Number(year) < 50 ? '20' : '19';
  const [month, day, hour, minute, second] = rest.match(/../g) ?? [];
  const time = Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw new RangeError('a time that is none');
  return time;
}

/** The content of an INTEGER as hex: two are equal when these are, in DER. */
export function derInteger({ value }: DerElement): string {
  if (value.length === 0) throw new RangeError('an integer without octets');
  return Buffer.from(value).toString('hex');
}
