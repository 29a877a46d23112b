import type { IncomingHttpHeaders } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import type { StoredMeta } from './store-needs.ts';

export const MAX_LABELS = 32;
const MAX_LABEL_CHARS = 128;
const MAX_NAME_CHARS = 512;
const MAX_TYPE_CHARS = 255;
const DEFAULT_TYPE = 'application/octet-stream';
/** RFC 9110, 8.3.1: type, subtype, parameters; printable ASCII. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+([ \t]*;[\x20-\x7e]*)?$/;
/** Control characters, and what turns the direction of text around in a file list. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

export interface DescribedRecord {
  readonly contentType: string;
  readonly labels: string[];
  readonly name?: string;
}

/** Content type, labels and name of an upload, from its headers. GATEWAY_REQUEST_INVALID, GATEWAY_MEDIA_TYPE_UNSUPPORTED. */
export function parseRecordHeaders(headers: IncomingHttpHeaders): DescribedRecord {
  const contentType = headers['content-type'] ?? DEFAULT_TYPE;
  if (!isMediaType(contentType)) throw new NectarError('GATEWAY_MEDIA_TYPE_UNSUPPORTED', {});
  const labels = parseLabels(headers['x-nectar-labels']);
  const name = headers['x-nectar-name'];
  return { contentType, labels, ...(name !== undefined && { name: parseText('x-nectar-name', name, MAX_NAME_CHARS) }) };
}

/** RFC 9110, 8.3.1, within our bound. */
export function isMediaType(text: string): boolean {
  return text.length <= MAX_TYPE_CHARS && MEDIA_TYPE.test(text);
}

/** Why a text can be no label; undefined when it can. */
export function problemOfLabel(label: string): string | undefined {
  return problemOfText(label, MAX_LABEL_CHARS);
}

/** Why a text can be no name; undefined when it can. */
export function problemOfName(name: string): string | undefined {
  return problemOfText(name, MAX_NAME_CHARS);
}

/** The headers that describe a record: of HEAD, and of GET beside its content. */
export function recordHeaders(meta: StoredMeta): Record<string, string | number> {
  return {
    'content-type': meta.contentType,
    etag: `"${meta.cid}"`,
    'accept-ranges': 'bytes',
    // A stored page must never run in the node's own origin.
    'content-disposition': disposition(meta),
    'x-nectar-record-id': meta.recordId,
    'x-nectar-record-version': meta.version,
    'x-nectar-created-at': meta.createdAt,
    ...(meta.labels.length > 0 && { 'x-nectar-labels': meta.labels.map(encodeText).join(',') }),
    ...(meta.name !== undefined && { 'x-nectar-name': encodeText(meta.name) }),
  };
}

function parseLabels(header: string | string[] | undefined): string[] {
  if (header === undefined || header === '') return [];
  const labels = String(header)
    .split(',')
    .map((label) => parseText('x-nectar-labels', label.trim(), MAX_LABEL_CHARS));
  if (labels.length > MAX_LABELS) throw invalid('x-nectar-labels', `names more than ${MAX_LABELS} labels`);
  return [...new Set(labels)];
}

function parseText(header: string, encoded: string | string[], maxChars: number): string {
  let text: string;
  try {
    text = decodeURIComponent(String(encoded));
  } catch (error) {
    throw invalid(header, 'is not percent-encoded UTF-8', error);
  }
  const reason = problemOfText(text, maxChars);
  if (reason !== undefined) throw invalid(header, reason);
  return text;
}

function problemOfText(text: string, maxChars: number): string | undefined {
  if (text === '' || text.length > maxChars) return `needs 1 to ${maxChars} characters`;
  if (UNPRINTABLE.test(text)) return 'has characters that cannot be printed';
  return text.isWellFormed() ? undefined : 'is not well-formed Unicode';
}

/** RFC 8187: the name is never put into quotes, where it could close them. */
function disposition(meta: StoredMeta): string {
  return meta.name === undefined ? 'attachment' : `attachment; filename*=UTF-8''${encodeText(meta.name)}`;
}

/** Percent-encoding that is safe in a header list and in RFC 8187; a lone surrogate becomes U+FFFD. */
function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function invalid(header: string, reason: string, cause?: unknown): NectarError {
  return new NectarError('GATEWAY_REQUEST_INVALID', { part: 'headers', path: `/${header}`, reason }, { cause });
}
