/**
 * A place in a document from outside: an engine's answer, a manifest. Reading what is of another shape throws, and says where;
 * `...Or` is for what may be left out, and says what leaving it out means.
 */
export interface Document {
  /** From the root: `HostConfig.Memory`. */
  readonly at: string;
  /** Neither there nor null. */
  readonly isAbsent: boolean;
  in(...keys: readonly string[]): Document;
  text(): string;
  textOr(otherwise: string): string;
  flag(): boolean;
  flagOr(otherwise: boolean): boolean;
  /** A safe integer. */
  integer(): number;
  integerOr(otherwise: number): number;
  /** Of a list; none where it is absent. */
  items(): Document[];
  texts(): string[];
  /** Of an object; none where it is absent. */
  entries(): [string, Document][];
  keys(): string[];
  raw(): unknown;
}

const MAX_ITEMS = 65_536;

export function openDocument(value: unknown, at = ''): Document {
  const isAbsent = value === undefined || value === null;
  const wrong = (expected: string): Error => new Error(`${at || 'the answer'} is no ${expected}`);
  const inner = (key: string, own: unknown): Document => openDocument(own, at === '' ? key : `${at}.${key}`);

  function text(): string {
    if (typeof value !== 'string') throw wrong('text');
    return value;
  }
  function flag(): boolean {
    if (typeof value !== 'boolean') throw wrong('boolean');
    return value;
  }
  function integer(): number {
    if (!Number.isSafeInteger(value)) throw wrong('integer');
    return value as number;
  }
  function items(): Document[] {
    if (isAbsent) return [];
    if (!Array.isArray(value) || value.length > MAX_ITEMS) throw wrong('list');
    return value.map((item, index) => openDocument(item, `${at}[${index}]`));
  }
  function entries(): [string, Document][] {
    if (isAbsent) return [];
    if (typeof value !== 'object' || Array.isArray(value)) throw wrong('object');
    return Object.entries(value as object).map(([key, own]) => [key, inner(key, own)]);
  }
  return {
    at,
    isAbsent,
    in: (first, ...rest) => {
      if (first === undefined) return openDocument(value, at);
      if (!isAbsent && (typeof value !== 'object' || Array.isArray(value))) throw wrong('object');
      const own =
        !isAbsent && Object.hasOwn(value as object, first) ? (value as Record<string, unknown>)[first] : undefined;
      return inner(first, own).in(...rest);
    },
    text,
    textOr: (otherwise) => (isAbsent ? otherwise : text()),
    flag,
    flagOr: (otherwise) => (isAbsent ? otherwise : flag()),
    integer,
    integerOr: (otherwise) => (isAbsent ? otherwise : integer()),
    items,
    texts: () => items().map((item) => item.text()),
    entries,
    keys: () => entries().map(([key]) => key),
    raw: () => value,
  };
}
