import type { IncomingHttpHeaders } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import type { Expected, StoredMeta } from './store-needs.ts';

interface Tag {
  readonly weak: boolean;
  readonly value: string;
}

/** RFC 9110, 8.8.3. */
const TAG_LIST =
  /^[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*[ \t]*$/;
const TAG = /(W\/)?"([^"]*)"/g;
const MAX_TAGS = 64;

/** The entity tag of a version: the CID of its ciphertext, which no other version has. */
export function tagOf({ cid }: Pick<StoredMeta, 'cid'>): string {
  return `"${cid}"`;
}

/**
 * The preconditions of a PUT or DELETE, for the store to hold against the record in one step with the change (RFC 9110,
 * 13.1.1, 13.1.2); undefined without any. Weak tags never match in If-Match.
 *
 * @throws NectarError GATEWAY_REQUEST_INVALID
 */
export function parseExpected(headers: IncomingHttpHeaders): Expected | undefined {
  const match = parseTags('if-match', headers['if-match']);
  const noneMatch = parseTags('if-none-match', headers['if-none-match']);
  if (match === undefined && noneMatch === undefined) return undefined;
  return {
    ...(match !== undefined && { match: match === 'any' ? match : strong(match) }),
    ...(noneMatch !== undefined && {
      noneMatch: noneMatch === 'any' ? noneMatch : noneMatch.map(({ value }) => value),
    }),
  };
}

/** What If-Match and If-None-Match of a GET or HEAD say of a version (RFC 9110, 13.2.2). GATEWAY_REQUEST_INVALID. */
export function conditionOf(
  headers: IncomingHttpHeaders,
  { cid }: Pick<StoredMeta, 'cid'>,
): 'proceed' | 'not-modified' | 'failed' {
  const match = parseTags('if-match', headers['if-match']);
  if (match !== undefined && match !== 'any' && !strong(match).includes(cid)) return 'failed';
  const noneMatch = parseTags('if-none-match', headers['if-none-match']);
  if (noneMatch === undefined) return 'proceed';
  const names = noneMatch === 'any' || noneMatch.some(({ value }) => value === cid);
  return names ? 'not-modified' : 'proceed';
}

/** Whether a GET has conditions at all. */
export function isConditional(headers: IncomingHttpHeaders): boolean {
  return headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
}

/** RFC 9110, 13.1.5: a strong tag that is this one; a date never is, for there is no Last-Modified. */
export function isRangeCurrent(ifRange: string | undefined, meta: Pick<StoredMeta, 'cid'>): boolean {
  return ifRange === undefined || ifRange.trim() === tagOf(meta);
}

function strong(tags: readonly Tag[]): string[] {
  return tags.filter(({ weak }) => !weak).map(({ value }) => value);
}

function parseTags(name: string, header: string | undefined): 'any' | readonly Tag[] | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return 'any';
  const invalid = (reason: string) =>
    new NectarError('GATEWAY_REQUEST_INVALID', { part: 'headers', path: `/${name}`, reason });
  if (!TAG_LIST.test(header)) throw invalid('is not a list of entity tags');
  const tags = [...header.matchAll(TAG)].map(([, weak, value = '']) => ({ weak: weak !== undefined, value }));
  if (tags.length > MAX_TAGS) throw invalid(`names more than ${MAX_TAGS} tags`);
  return tags;
}
