import { validateHeaderName, validateHeaderValue } from 'node:http';
import { NectarError } from '../protocol/errors.ts';

/** What comes before a body, in both directions. */
export interface AnswerHead {
  readonly statusCode: number;
  /** Names in lower case; of several of one name, the first. */
  readonly headers: Readonly<Record<string, string>>;
}

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: |$)/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/** Throws ERR_INVALID_CHAR for a value that would end its line. */
export function encodeRequestHead(method: string, url: URL, headers: Readonly<Record<string, string>>): Buffer {
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`];
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** @throws NectarError CLI_GATEWAY_ANSWER_INVALID for what is no answer in HTTP/1 */
export function parseAnswerHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) throw invalid('not HTTP/1.1');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) throw invalid('a malformed header');
    headers[name.toLowerCase()] ??= value;
  }
  return { statusCode: Number(status), headers };
}

/** Bytes of the body that the head announces. Only bodies of a known length are spoken here. */
export function announcedBytes({ statusCode, headers }: AnswerHead): number {
  if (statusCode === 204 || statusCode === 304) return 0;
  const length = headers['content-length'] ?? '';
  if (headers['transfer-encoding'] !== undefined || !/^[0-9]{1,15}$/.test(length))
    throw invalid('a body without Content-Length');
  return Number(length);
}

export function invalid(problem: string): NectarError {
  return new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem });
}
