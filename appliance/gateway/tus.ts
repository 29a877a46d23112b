import type { IncomingHttpHeaders } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import { parseRecordHeaders } from './record-headers.ts';
import type { PutInput, UploadState } from './store-needs.ts';

/** The tus resumable upload protocol: https://tus.io/protocols/resumable-upload, version 1.0.0. */
export const TUS_VERSION = '1.0.0';
export const TUS_EXTENSIONS = 'creation,expiration,termination';
export const TUS_BODY_TYPE = 'application/offset+octet-stream';

const MAX_METADATA_CHARS = 8_192;
const NUMBER = /^\d{1,16}$/;
const KEY = /^[\x21-\x2b\x2d-\x7e]+$/;
const RECORD_ID = /^[0-9a-f]{32}$/;

/** What Upload-Length and Upload-Metadata of a creation say. GATEWAY_REQUEST_INVALID, GATEWAY_BODY_TOO_LARGE. */
export function parseCreation(headers: IncomingHttpHeaders, maxBytes: number): { input: PutInput; bytes: number } {
  const bytes = parseNumber(headers, 'upload-length');
  if (bytes > maxBytes) throw new NectarError('GATEWAY_BODY_TOO_LARGE', { limitBytes: maxBytes });
  const metadata = parseMetadata(headers['upload-metadata']);
  const recordId = metadata.get('record');
  if (recordId !== undefined && !RECORD_ID.test(recordId)) throw invalid('upload-metadata', 'names no record');
  const described = parseRecordHeaders({
    'content-type': metadata.get('filetype') ?? metadata.get('type'),
    'x-nectar-labels': metadata.get('labels') ?? headers['x-nectar-labels'],
    'x-nectar-name': encoded(metadata.get('filename') ?? metadata.get('name')) ?? headers['x-nectar-name'],
  });
  return {
    input: { ...described, ...(recordId !== undefined && { recordId: recordId as NonNullable<PutInput['recordId']> }) },
    bytes,
  };
}

export function parseOffset(headers: IncomingHttpHeaders): number {
  return parseNumber(headers, 'upload-offset');
}

/** What every answer about an upload says; of one that has become a record, which. */
export function uploadHeaders({ offset, bytes, expiresAt, receipt }: UploadState): Record<string, string | number> {
  return {
    'upload-offset': offset,
    'upload-length': bytes,
    'upload-expires': new Date(expiresAt).toUTCString(),
    ...(receipt !== undefined && {
      'x-nectar-record-id': receipt.recordId,
      'x-nectar-record-version': receipt.version,
      'x-nectar-cid': receipt.cid,
      'x-nectar-audit-leaf': receipt.auditLeaf,
    }),
  };
}

function parseNumber(headers: IncomingHttpHeaders, name: string): number {
  const text = headers[name];
  if (typeof text !== 'string' || !NUMBER.test(text)) throw invalid(name, 'is not a number of bytes');
  return Number(text);
}

/** Comma-separated: a key, and its value in base64. */
function parseMetadata(header: string | string[] | undefined): Map<string, string> {
  const metadata = new Map<string, string>();
  const text = String(header ?? '');
  if (text.length > MAX_METADATA_CHARS) throw invalid('upload-metadata', 'is too long');
  for (const member of text.split(',').filter((part) => part.trim() !== '')) {
    const [key = '', value = '', ...rest] = member.trim().split(' ');
    if (!KEY.test(key) || rest.length > 0 || metadata.has(key) || !/^[A-Za-z0-9+/]*={0,2}$/.test(value))
      throw invalid('upload-metadata', 'is not a list of keys and base64 values');
    const bytes = Buffer.from(value, 'base64');
    const decoded = bytes.toString('utf8');
    if (!Buffer.from(decoded, 'utf8').equals(bytes)) throw invalid('upload-metadata', 'has a value that is not UTF-8');
    metadata.set(key, decoded);
  }
  return metadata;
}

/** As it travels in a header of ours; an empty name is none. */
function encoded(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : encodeURIComponent(text.toWellFormed());
}

function invalid(name: string, reason: string): NectarError {
  return new NectarError('GATEWAY_REQUEST_INVALID', { part: 'headers', path: `/${name}`, reason });
}
