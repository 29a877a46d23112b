import { printable } from '../printable.ts';

/** Namespace of our property names: OSCAL wants a URI, and no other program gives these names a meaning. */
export const PROPERTY_NAMESPACE = 'urn:nectar-byon:hardening';

/** OSCAL's texts are never empty and neither begin nor end with white space (StringDatatype). */
export function oscalText(text: string): string {
  return printable(text) || '(nothing)';
}

/** Markup (CommonMark) in OSCAL: what Markdown reads as markup is escaped, so that no name becomes a link or an image. */
export function oscalMarkup(text: string): string {
  return oscalText(text).replaceAll(/[\\`*_{}[\]<>#|~!]/g, '\\$&');
}

/** A token (TokenDatatype): begins with a letter, then letters, digits, full stops, hyphens, underscores. */
export function oscalToken(text: string): string {
  const token = text.toWellFormed().replaceAll(/[^\p{L}\p{N}.\-_]/gu, '_');
  return /^[\p{L}_]/u.test(token) ? token : `_${token}`;
}

export function property(name: string, value: string): object {
  return { name, ns: PROPERTY_NAMESPACE, value: oscalText(value) };
}

/** A key with a list, left out where the list is empty: OSCAL has no empty lists. */
export function some<K extends string, T>(key: K, list: readonly T[]): Partial<Record<K, readonly T[]>> {
  return list.length === 0 ? {} : ({ [key]: list } as Record<K, readonly T[]>);
}
