import type { Socket } from 'node:net';
import type { NectarError } from '../../protocol/errors.ts';
import { FrameError } from './frames.ts';
import { encodeFailure } from './message.ts';
import { VERSION_HEADER } from './version.ts';

const PROTOCOL = 'nectar-frames';
const MAX_HEAD_BYTES = 8 * 1024;

/** A connection begins as HTTP and is upgraded (RFC 9110, 7.8) when both sides are of one version. */
export function requestUpgrade(target: string, version: number): Buffer {
  const head = [`GET ${target} HTTP/1.1`, 'host: localhost', 'connection: upgrade', `upgrade: ${PROTOCOL}`];
  return Buffer.from([...head, `${VERSION_HEADER}: ${version}`, '', ''].join('\r\n'), 'latin1');
}

export function isUpgrade(header: string | undefined): boolean {
  return header === PROTOCOL;
}

export function acceptUpgrade(socket: Socket, version: number): void {
  const head = ['HTTP/1.1 101 Switching Protocols', 'connection: upgrade', `upgrade: ${PROTOCOL}`];
  socket.write([...head, `${VERSION_HEADER}: ${version}`, '', ''].join('\r\n'), 'latin1');
}

/** The status says only that there is no connection; the body says why. */
export function refuseUpgrade(socket: Socket, version: number, failure: NectarError): void {
  const body = encodeFailure(failure);
  const head = ['HTTP/1.1 503 Refused', 'connection: close', 'content-type: application/json'];
  const lengths = [`content-length: ${body.length}`, `${VERSION_HEADER}: ${version}`, '', ''];
  socket.end(Buffer.concat([Buffer.from([...head, ...lengths].join('\r\n'), 'latin1'), body]));
}

export interface Answer {
  readonly accepted: boolean;
  readonly version: string | undefined;
  /** Of the body, where it is stated. */
  readonly length: number | undefined;
  /** What came after the head. */
  readonly rest: Uint8Array;
}

/** The head of the answer to an upgrade, as it comes; undefined until it is whole. @throws FrameError */
export function createAnswerParser(): (bytes: Uint8Array) => Answer | undefined {
  let all = Buffer.alloc(0);
  return (bytes) => {
    all = Buffer.concat([all, bytes]);
    const end = all.indexOf('\r\n\r\n');
    if ((end < 0 ? all.length : end) > MAX_HEAD_BYTES) throw new FrameError('the head is too long');
    return end < 0 ? undefined : { ...parseHead(all.toString('latin1', 0, end)), rest: all.subarray(end + 4) };
  };
}

function parseHead(text: string): Omit<Answer, 'rest'> {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status] = /^HTTP\/1\.1 ([1-5][0-9]{2})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new FrameError('not an answer of HTTP/1.1');
  const stated = (name: string): string | undefined =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const length = stated('content-length');
  return {
    accepted: status === '101',
    version: stated(VERSION_HEADER),
    length: length !== undefined && /^[0-9]{1,9}$/.test(length) ? Number(length) : undefined,
  };
}
