import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import fastify, { type FastifyReply } from 'fastify';
import { type ConnectionGuard, guardConnections } from '../connection-guard.ts';
import { answerMalformed, sendProblem } from './answer-problems.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayServer, RouteContext } from './gateway-server.ts';
import type { GatewayMetrics } from './metrics.ts';
import { nectarErrorOf } from './problem.ts';
import { createRequestId, identify } from './request-guard.ts';
import { isRpcUpgrade } from './rpc-sockets.ts';

const MAX_PARAM_CHARS = 128;
/** Of all connections, what those without a valid token may take at most. */
const STRANGERS_SHARE = 0.75;
const STRANGERS_BURST_SECONDS = 8;
const GRACE_MS = 1_000;
/** What goes with every certificate: a context set later has Node's own bounds in all that is not named. */
export const TLS_BOUNDS = {
  minVersion: 'TLSv1.2',
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  // One handshake per connection: a client of TLS 1.2 that asks for more only wants the server's time.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies ServerOptions;

/** What may be exchanged while the server listens: its certificate, and whose certificates it takes from clients. */
export interface ServerIdentity extends Pick<ServerOptions, 'cert' | 'key'> {
  readonly authorities: readonly string[];
}

/**
 * What a secure context is made of. With tickets a certificate of the site would be looked at once, and then be as good as its ticket;
 * without them each connection shows it, and the chain is built anew.
 */
export function secureContextOf({ authorities, ...certificate }: ServerIdentity) {
  return {
    ...certificate,
    ...TLS_BOUNDS,
    secureOptions: TLS_BOUNDS.secureOptions | constants.SSL_OP_NO_TICKET,
    ca: [...authorities],
  } satisfies ServerOptions;
}

export interface HttpsSetup {
  readonly config: GatewayConfig;
  readonly tls: ServerIdentity;
}

export function createHttpsServer(
  { config, tls }: HttpsSetup,
  deps: GatewayDependencies,
  metrics: GatewayMetrics,
): GatewayServer {
  const https: ServerOptions = {
    ...secureContextOf(tls),
    // Whether a certificate is good is said by the answer, in words, and not by a broken handshake.
    requestCert: config.clientCertificates !== 'off',
    rejectUnauthorized: false,
    handshakeTimeout: config.handshakeTimeoutMs,
    maxHeaderSize: config.maxHeaderBytes,
    headersTimeout: config.headersTimeoutMs,
    shouldUpgradeCallback: isRpcUpgrade,
    connectionsCheckingInterval: Math.min(1_000, config.headersTimeoutMs),
  };
  const secured = new WeakSet<Socket>();
  const server = fastify({
    https,
    // An upload may last for hours: its pauses are bounded instead, and so are headers and JSON bodies in whole.
    requestTimeout: 0,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    bodyLimit: config.maxJsonBytes,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    frameworkErrors: (error, _request, reply) => {
      const requestId = identify(reply as unknown as FastifyReply, deps);
      sendProblem(
        reply as unknown as FastifyReply,
        nectarErrorOf(error, requestId, { bodyBytes: config.maxJsonBytes }),
        requestId,
      );
    },
    clientErrorHandler: (error, socket) => {
      metrics.malformed.inc();
      answerMalformed(error, socket, { config, requestId: createRequestId(deps), secured });
    },
  }) as unknown as GatewayServer;
  server.server.prependListener('secureConnection', (socket) => secured.add(socket));
  // Without this listener Node would invite the body before the token was looked at; the guard invites it.
  server.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    server.routing(request, response),
  );
  server.removeContentTypeParser('text/plain');
  return server;
}

/** Whose connections are open, for how long and how many: see connection-guard.ts. */
export function boundConnections(
  { server }: GatewayServer,
  { config }: HttpsSetup,
  { metrics, events }: Pick<RouteContext, 'metrics' | 'events'>,
): ConnectionGuard {
  const guard = guardConnections(
    server,
    {
      maxConnections: config.maxConnections,
      maxStrangers: Math.max(1, Math.min(config.maxStrangers, Math.floor(config.maxConnections * STRANGERS_SHARE))),
      maxStrangersPerNetwork: config.maxStrangersPerNetwork,
      strangersPerSecond: config.strangersPerSecond,
      strangersAtOnce: config.strangersPerSecond * STRANGERS_BURST_SECONDS,
      // Node's own limits come first, where they can tell the client; these hold whatever happens to them.
      handshakeMs: config.handshakeTimeoutMs + GRACE_MS,
      firstRequestMs: config.headersTimeoutMs + 2 * GRACE_MS,
      trusted: config.trustedNetworks,
    },
    {
      now: () => performance.now(),
      onEnded: (reason, address) => {
        metrics.connectionsEnded.inc({ reason });
        events.connectionEnded(reason, address);
      },
    },
  );
  metrics.connections(() => guard.counts());
  return guard;
}
