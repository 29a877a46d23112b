import type { Socket } from 'node:net';
import { type Address, openTcp, openTls, receive } from './socket-exchange.ts';

const MAX_ANSWER_BYTES = 64 * 1024;
const QUIET_MS = 2_000;

export interface ProbeAnswer {
  /** 0 when the connection was cut without an HTTP answer. */
  readonly status: number;
  /** Lower-case names; the values of a repeated one joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProbeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Shown in the handshake, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

export interface HttpTarget extends Address {
  readonly tls: boolean;
}

/** One request on a connection of its own, written by hand: a client that forbids TRACE could not ask for it. */
export async function probeHttp(target: HttpTarget, request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer> {
  const socket = target.tls ? await openTls(target, request.certificate ?? {}, signal) : await openTcp(target, signal);
  return exchange(socket, { request: encodeRequest(target, request) }, signal);
}

/** Whether what listens there answers HTTP that is not encrypted. Saying nothing for two seconds is no answer. */
export async function answersPlainHttp(address: Address, signal: AbortSignal): Promise<boolean> {
  const request = encodeRequest(address, { method: 'GET', path: '/' });
  const answer = await exchange(await openTcp(address, signal), { request, quietMs: QUIET_MS }, signal);
  return answer.status !== 0;
}

function encodeRequest({ host, port }: Address, { method, path, headers = [] }: ProbeRequest): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${name}:${port}`, 'connection: close', 'accept: */*'];
  return `${[...lines, ...headers.map(([key, value]) => `${key}: ${value}`)].join('\r\n')}\r\n\r\n`;
}

async function exchange(
  socket: Socket,
  sent: { readonly request: string; readonly quietMs?: number },
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const { request, ...quiet } = sent;
  socket.write(request);
  const enough = (received: Buffer): boolean => received.includes('\r\n\r\n');
  return parseHead((await receive(socket, { most: MAX_ANSWER_BYTES, enough, ...quiet }, signal)).toString('latin1'));
}

function parseHead(text: string): ProbeAnswer {
  const [start = '', ...lines] = (text.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(start)?.[1] ?? 0);
  const headers: Record<string, string> = {};
  for (const line of status === 0 ? [] : lines) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { status, headers };
}
