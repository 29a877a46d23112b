import type { Static, TSchema } from 'typebox';
import { Errors, Check as matches } from 'typebox/value';

export type Parsed<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** One entry of a file of the benchmark, by its schema. Every problem is named at once, after the id or name of the entry. */
export function parseEntry<T extends TSchema>(schema: T, entry: unknown): Parsed<Static<T>> {
  if (matches(schema, entry)) return { value: entry as Static<T> };
  const named = entry as { id?: unknown; name?: unknown; standard?: unknown } | null;
  const name = String(named?.id ?? named?.name ?? named?.standard ?? 'an entry');
  return {
    problems: Errors(schema, entry).map(({ instancePath, message }) => `${name}: ${instancePath || '/'} ${message}`),
  };
}
