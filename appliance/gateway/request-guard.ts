import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NectarError } from '../../protocol/errors.ts';
import { actorOf, authorise, type Claim, NOBODY } from './authorise.ts';
import type { BegunRequests } from './begun-requests.ts';
import type { AccessContext, GatewayDependencies } from './dependencies.ts';
import type { GatewayServer, RouteContext, RouteGuard } from './gateway-server.ts';

const REQUEST_ID_BYTES = 16;

/**
 * For browsers that meet the API: nothing is cached, framed, sniffed or run. No Strict-Transport-Security: a node is
 * often `localhost` or a shared host name, and the header would bind every other program there to HTTPS.
 */
const SECURITY_HEADERS: readonly (readonly [string, string])[] = Object.entries({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});

/** Adds what runs before every handler: identity, authority, capacity, lock, in this order; a body is not read before. */
export function addRequestGuard(server: GatewayServer, context: RouteContext, begun: BegunRequests): void {
  const { deps, config, requests, hosts, stopping } = context;

  server.addHook('onRoute', (route) => {
    if (route.config?.guard === undefined)
      throw new TypeError(`route ${String(route.method)} ${route.url} has no guard`);
  });
  server.decorateRequest('access');
  server.decorateRequest('gone');

  server.addHook('onRequest', async (request, reply) => {
    const requestId = identify(reply, deps);
    request.access = accessOf(request, requestId);
    const gone = disconnection(reply);
    request.gone = gone.signal;
    // A connection may break at any time, also while nobody waits for it: never a reason to crash.
    request.raw.on('error', ignore);
    reply.raw.on('error', ignore);

    reply.raw.once('close', context.connections.begin(request.raw.socket));
    hosts.check(request.raw);

    const guard = request.routeOptions.config.guard;
    if (guard === undefined || guard.scope === 'public') return;
    const principal = await authorise(claimOf(request, guard), guard, context);
    context.connections.identified(request.raw.socket);
    request.access = { ...request.access, actor: actorOf(principal) };
    begun.add(principal.tokenId, reply.raw, (reason) => gone.abort(reason));
    refuseEncoding(request);
    if (stopping.aborted) throw new NectarError('GATEWAY_STOPPING', {});
    // The body waits too: nothing of it is read before its turn.
    const release = await requests.take(principal.tokenId, request.gone, stopping);
    if (reply.raw.destroyed) release();
    else reply.raw.once('close', release);
    if (guard.whileLocked !== true && (await deps.keys.state()) === 'locked') throw new NectarError('KEY_LOCKED', {});
  });

  server.addHook('preParsing', (request, reply, _payload, done) => {
    const { expect } = request.headers;
    if (expect !== undefined && /^100-continue$/i.test(expect)) reply.raw.writeContinue();
    if (request.routeOptions.config.guard?.streamed !== true) limitBodyTime(request, reply, config.bodyTimeoutMs);
    done();
  });
}

/** Ours, never the client's: the audit log and the answer must name the same request. */
export function createRequestId({ randomBytes }: Pick<GatewayDependencies, 'randomBytes'>): string {
  return Buffer.from(randomBytes(REQUEST_ID_BYTES)).toString('hex');
}

/** Gives an answer its request id and the headers that every answer has. */
export function identify(reply: FastifyReply, deps: Pick<GatewayDependencies, 'randomBytes'>): string {
  const requestId = createRequestId(deps);
  reply.raw.setHeader('x-request-id', requestId);
  for (const [name, value] of SECURITY_HEADERS) reply.raw.setHeader(name, value);
  return requestId;
}

function claimOf(request: FastifyRequest, guard: RouteGuard): Claim {
  const { method, access } = request;
  const { token } = request.params as { token?: string };
  return {
    socket: request.raw.socket,
    authorization: request.headers.authorization,
    ...(guard.tokenInPath === true && { inPath: token ?? '' }),
    method,
    route: request.routeOptions.url ?? '',
    access,
  };
}

export function accessOf(
  request: { readonly socket: Pick<Socket, 'remoteAddress'> },
  requestId: string,
): AccessContext {
  const address = request.socket.remoteAddress;
  return { actor: NOBODY, requestId, ...(address === undefined ? {} : { address }) };
}

function ignore(): void {
  // Whoever reads the body or writes the answer learns of it by the events that follow.
}

/** Aborts when the connection ends before the answer was handed over completely. */
function disconnection(reply: FastifyReply): AbortController {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new NectarError('GATEWAY_UPLOAD_ABORTED', { receivedBytes: 0 }));
  });
  return controller;
}

/** Content-Encoding is part of what a body is (RFC 9110, 8.4): what is not kept is refused, never dropped. */
function refuseEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && !/^[ \t]*identity[ \t]*$/i.test(encoding))
    throw new NectarError('GATEWAY_CONTENT_ENCODING_UNSUPPORTED', {});
}

/** A body sent a byte at a time would hold a connection for hours: it has to be complete in time, or the connection ends. */
function limitBodyTime(request: FastifyRequest, reply: FastifyReply, limitMs: number): void {
  if (request.raw.complete) return;
  const timer = setTimeout(() => {
    if (!request.raw.complete) request.raw.destroy(new NectarError('GATEWAY_REQUEST_TIMEOUT', { limitMs }));
  }, limitMs).unref();
  const clear = () => clearTimeout(timer);
  request.raw.once('end', clear);
  reply.raw.once('close', clear);
}
