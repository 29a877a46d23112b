import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayServer, RouteContext } from './gateway-server.ts';
import { httpStatusOf } from './http-status.ts';
import { challengeOf, encodeProblem, nectarErrorOf, PROBLEM_TYPE, problemOf, retryAfterSeconds } from './problem.ts';
import { allowedMethods, type RouteTable } from './route-table.ts';

/** A client gets this long to take the answer to what was not HTTP. */
const FAREWELL_MS = 2_000;

export function answerWithProblems(server: GatewayServer, { config, deps }: RouteContext, routes: RouteTable): void {
  server.setNotFoundHandler((request) => {
    const allowed = allowedMethods(routes, request.url.split('?')[0] ?? '');
    throw allowed.length === 0
      ? new NectarError('GATEWAY_ROUTE_ABSENT', {})
      : new NectarError('GATEWAY_METHOD_UNSUPPORTED', { allowed });
  });
  server.setErrorHandler((error, request, reply) => {
    const { requestId } = request.access;
    const limits = { bodyBytes: request.routeOptions.bodyLimit ?? config.maxJsonBytes };
    const problem = nectarErrorOf(error, requestId, limits);
    if (problem.code === 'NODE_INTERNAL') deps.log.error({ err: error, requestId }, 'request met a bug');
    else deps.log.debug({ code: problem.code, requestId }, 'request refused');
    sendProblem(reply, problem, requestId);
  });
}

export function sendProblem(reply: FastifyReply, error: NectarError, requestId: string): void {
  const retryAfter = retryAfterSeconds(error);
  const challenge = challengeOf(error);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (challenge !== undefined) reply.header('www-authenticate', challenge);
  // RFC 9110, 15.5.16: what would be taken.
  if (error.code === 'GATEWAY_CONTENT_ENCODING_UNSUPPORTED') reply.header('accept-encoding', 'identity');
  if (isNectarError(error, 'STORE_UPLOAD_OFFSET')) reply.header('upload-offset', error.data.offset);
  if (isNectarError(error, 'GATEWAY_METHOD_UNSUPPORTED')) reply.header('allow', error.data.allowed.join(', '));
  if (isNectarError(error, 'GATEWAY_RANGE_INVALID')) reply.header('content-range', `bytes */${error.data.bytes}`);
  reply
    .code(httpStatusOf(error.code))
    .type(PROBLEM_TYPE)
    .send(encodeProblem(problemOf(error, requestId)));
}

/** Below HTTP there is no request: the problem is written to the socket as it is, and the connection ends. */
export function answerMalformed(
  error: Error & { code: string },
  socket: Socket,
  { secured, ...at }: { config: GatewayConfig; requestId: string; secured: WeakSet<Socket> },
): void {
  // Before TLS is agreed there is nobody to answer: what is written waits for a handshake that never comes.
  if (error.code === 'ECONNRESET' || !socket.writable || !secured.has(socket)) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  const problem = malformed(error.code, at.config);
  const body = encodeProblem(problemOf(problem, at.requestId));
  const status = httpStatusOf(problem.code);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    `x-request-id: ${at.requestId}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function malformed(code: string, config: GatewayConfig): NectarError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new NectarError('GATEWAY_HEADERS_TOO_LARGE', { limitBytes: config.maxHeaderBytes });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new NectarError('GATEWAY_REQUEST_TIMEOUT', { limitMs: config.headersTimeoutMs });
  return new NectarError('GATEWAY_REQUEST_MALFORMED', { reason: 'it is not HTTP/1.1' });
}
