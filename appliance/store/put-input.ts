import { NectarError } from '../../protocol/errors.ts';
import type { Expected, PutInput } from './interfaces.ts';

const MAX_LABELS = 32;
export const MAX_LABEL_BYTES = 128;
const MAX_NAME_BYTES = 1024;
const MAX_CONTENT_TYPE_BYTES = 255;

/** More entity tags than this are no precondition, but a search. */
const MAX_TAGS = 64;
const MAX_TAG_CHARACTERS = 128;
const SHA256_BYTES = 32;
const SHA512_BYTES = 64;

const CONTENT_TYPE = /^[\x20-\x7e]+$/;
const CONTROL = /\p{Cc}/u;

/** Bounds what a put brings besides its body. The problem never repeats the value: labels and names are personal data. */
export function checkPutInput(input: PutInput): PutInput {
  const { contentType, labels, name } = input;
  if (contentType.length > MAX_CONTENT_TYPE_BYTES || !CONTENT_TYPE.test(contentType)) {
    throw invalid('contentType', `1 to ${MAX_CONTENT_TYPE_BYTES} printable ASCII characters`);
  }
  if (labels.length > MAX_LABELS) throw invalid('labels', `at most ${MAX_LABELS}`);
  for (const label of labels) checkText('labels', label, MAX_LABEL_BYTES);
  if (name !== undefined) checkText('name', name, MAX_NAME_BYTES);
  if (checkExpected(input.expected) !== undefined && input.recordId === undefined)
    throw invalid('expected', 'only of a record that is there');
  for (const [name, digest] of Object.entries(input.digests ?? {})) {
    const bytes = name === 'sha-256' ? SHA256_BYTES : name === 'sha-512' ? SHA512_BYTES : 0;
    if (bytes === 0 || Buffer.from(digest, 'base64').length !== bytes) throw invalid('digests', 'SHA-256 and SHA-512');
  }
  return { ...input, labels: [...new Set(labels)] };
}

/** Bounds what a caller expects. STORE_INPUT_INVALID. */
export function checkExpected(expected: Expected | undefined): Expected | undefined {
  for (const tags of [expected?.match, expected?.noneMatch]) {
    if (tags === undefined || tags === 'any') continue;
    if (tags.length > MAX_TAGS || tags.some((tag) => tag.length > MAX_TAG_CHARACTERS))
      throw invalid('expected', `at most ${MAX_TAGS} tags of ${MAX_TAG_CHARACTERS} characters`);
  }
  return expected;
}

export function checkText(field: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > maxBytes) throw invalid(field, `1 to ${maxBytes} bytes each`);
  if (CONTROL.test(text) || !text.isWellFormed()) throw invalid(field, 'no control characters, well-formed Unicode');
}

export function invalid(field: string, problem: string): NectarError {
  return new NectarError('STORE_INPUT_INVALID', { field, problem });
}
