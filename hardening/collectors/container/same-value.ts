import { isDeepStrictEqual } from 'node:util';

export type Fields = Readonly<Record<string, unknown>>;

const MAX_SHOWN = 60;

/** Whether a value says nothing: what an engine shows of a field that nobody set. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.every((entry) => entry === 0 || entry === '');
  return typeof value === 'object' && Object.values(value).every(isNothing);
}

/** Equal, whatever the order of keys and of lists, and whatever is there that says nothing. */
export function sameValue(actual: unknown, asked: unknown): boolean {
  return isDeepStrictEqual(plain(actual), plain(asked));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain).sort(byText);
  if (typeof value !== 'object' || value === null) return isNothing(value) ? undefined : value;
  const kept = Object.entries(value).filter(([, inner]) => !isNothing(inner));
  return Object.fromEntries(kept.map(([name, inner]) => [name, plain(inner)]).sort(byText));
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

type IsAsAsked = (field: string, actual: unknown, asked: unknown) => boolean;

/** Every field of either side that is not as asked: `HostConfig.Memory is 21474836480, not 402653184`. */
export function differences(
  section: string,
  { actual, wanted }: { readonly actual: Fields; readonly wanted: Fields },
  isAsAsked: IsAsAsked,
): string[] {
  return [...new Set([...Object.keys(actual), ...Object.keys(wanted)])]
    .filter((field) => !isAsAsked(field, actual[field], wanted[field]))
    .map((field) => `${section}.${field} ${words(section, actual[field], wanted[field])}`);
}

/** Numbers and switches are shown. A text, a list or a table may hold what nobody should read in a report. */
function words(section: string, actual: unknown, wanted: unknown): string {
  if (section === 'HostConfig' && [actual, wanted].every(isShown)) return `is ${shown(actual)}, not ${shown(wanted)}`;
  if (wanted === undefined) return 'was added';
  return isNothing(actual) ? 'is missing' : 'is another';
}

function isShown(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    ['number', 'boolean'].includes(typeof value) ||
    (typeof value === 'string' && /^[a-z0-9-]*$/.test(value) && value.length <= MAX_SHOWN)
  );
}

function shown(value: unknown): string {
  return value === undefined || value === null || value === '' ? 'unset' : String(value);
}
