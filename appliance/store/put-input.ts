import { NectarError } from '../../protocol/errors.ts';
import type { PutInput } from './interfaces.ts';

export const MAX_LABELS = 32;
export const MAX_LABEL_BYTES = 128;
export const MAX_NAME_BYTES = 1024;
export const MAX_CONTENT_TYPE_BYTES = 255;

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
  return { ...input, labels: [...new Set(labels)] };
}

export function checkText(field: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > maxBytes) throw invalid(field, `1 to ${maxBytes} bytes each`);
  if (CONTROL.test(text) || !text.isWellFormed()) throw invalid(field, 'no control characters, well-formed Unicode');
}

export function invalid(field: string, problem: string): NectarError {
  return new NectarError('STORE_INPUT_INVALID', { field, problem });
}
