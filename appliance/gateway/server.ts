import { constants } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { type ConnectionGuard, guardConnections } from '../connection-guard.ts';
import type { BackupNotes } from './backup-notes.ts';
import { createBegunRequests } from './begun-requests.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { createExclusive } from './exclusive.ts';
import type { GatewayServer, RouteContext } from './gateway-server.ts';
import type { HardeningNotes } from './hardening-notes.ts';
import { createHostNames, type HostNames } from './host-names.ts';
import { httpStatusOf } from './http-status.ts';
import { createGatewayMetrics, type GatewayMetrics } from './metrics.ts';
import { addOpenApi } from './openapi.ts';
import { challengeOf, encodeProblem, nectarErrorOf, PROBLEM_TYPE, problemOf, retryAfterSeconds } from './problem.ts';
import { addRequestGuard, createRequestId, identify } from './request-guard.ts';
import { allowedMethods, type RouteTable } from './route-table.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addBackupRoutes } from './routes/backups.ts';
import { addHardeningRoutes } from './routes/hardening.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addNodeRoutes } from './routes/node.ts';
import { addRecordRoutes } from './routes/records.ts';
import { addResumableRoutes } from './routes/resumable.ts';
import { addRpcRoute } from './routes/rpc.ts';
import { addStorageRoutes } from './routes/storage.ts';
import { addTinkRoutes } from './routes/tink.ts';
import { addTokenRoutes } from './routes/tokens.ts';
import { addUploadRoutes } from './routes/uploads.ts';
import { createSecurityEvents, type SecurityEvents } from './security-events.ts';
import { createTurns } from './turns.ts';

const MAX_PARAM_CHARS = 128;
/** Of all connections, what those without a valid token may take at most. */
const STRANGERS_SHARE = 0.75;
const STRANGERS_BURST_SECONDS = 8;
const GRACE_MS = 1_000;
/** A client gets this long to take the answer to what was not HTTP. */
const FAREWELL_MS = 2_000;
/** What goes with every certificate: a context set later has Node's own bounds in all that is not named. */
export const TLS_BOUNDS = {
  minVersion: 'TLSv1.2',
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  // One handshake per connection: a client of TLS 1.2 that asks for more only wants the server's time.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies ServerOptions;
const ROUTES = [
  addNodeRoutes,
  addRecordRoutes,
  addUploadRoutes,
  addResumableRoutes,
  addAuditRoutes,
  addKeyRoutes,
  addStorageRoutes,
  addTinkRoutes,
  addTokenRoutes,
  addHardeningRoutes,
  addBackupRoutes,
  addRpcRoute,
];

export interface BuiltServer {
  readonly server: GatewayServer;
  readonly routes: RouteTable;
  readonly events: SecurityEvents;
  readonly hosts: HostNames;
}

export interface ServerSetup {
  readonly config: GatewayConfig;
  readonly version: string;
  readonly tls: Pick<ServerOptions, 'cert' | 'key'>;
  readonly hardening: HardeningNotes;
  readonly backups: BackupNotes;
  /** Aborts when the node begins to stop: from then on requests are refused. */
  readonly stopping: AbortSignal;
}

/** The whole HTTPS server, not yet listening: bounds, guard, routes, in the order in which a request meets them. */
export async function buildServer(setup: ServerSetup, deps: GatewayDependencies): Promise<BuiltServer> {
  const { config } = setup;
  const metrics = createGatewayMetrics(deps.metrics);
  const server = createHttpsServer(setup, deps, metrics);
  const events = createSecurityEvents(config.maxDenialsPerMinute, deps);
  const context: RouteContext = {
    config,
    deps,
    metrics,
    events,
    connections: boundConnections(server, setup, { metrics, events }),
    uploads: createTurns(
      {
        what: 'uploads',
        limit: config.maxUploads,
        perCaller: config.maxUploads,
        maxQueued: config.maxQueued,
        maxQueuedPerCaller: config.maxQueuedPerToken,
        maxWaitMs: config.maxQueueMs,
      },
      { now: () => performance.now() },
    ),
    exclusive: createExclusive(),
    hardening: setup.hardening,
    backups: setup.backups,
  };
  const routes: RouteTable = [];

  useStrictValidation(server);
  answerWithProblems(server, context, routes);
  observe(server, context);
  closeUnread(server, config.lingerMs);
  closeUntaken(server, config.responseStallTimeoutMs);
  const requests = createTurns(
    {
      what: 'requests',
      limit: config.maxRequests,
      perCaller: Math.min(config.maxRequests, config.maxRequestsPerToken),
      maxQueued: config.maxQueued,
      maxQueuedPerCaller: config.maxQueuedPerToken,
      maxWaitMs: config.maxQueueMs,
      perSecond: config.maxRequestsPerSecondPerToken,
    },
    {
      now: () => performance.now(),
      onChange: ({ running, queued }) => {
        metrics.inFlight.set(running);
        metrics.queued.set(queued);
      },
    },
  );
  const begun = createBegunRequests(config.lingerMs);
  deps.tokens.onRevoked((tokenId) => begun.end(tokenId));
  const hosts = createHostNames(config.hostNames);
  addRequestGuard(server, context, { requests, hosts, begun, stopping: setup.stopping });
  server.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.push({ method: name, url });
  });
  await addOpenApi(server, setup.version);
  for (const add of ROUTES) {
    server.register(async (scope) => add(scope as GatewayServer, context));
  }
  await server.ready();
  return { server, routes, events, hosts };
}

function createHttpsServer(
  { config, tls }: ServerSetup,
  deps: GatewayDependencies,
  metrics: GatewayMetrics,
): GatewayServer {
  const https: ServerOptions = {
    ...tls,
    ...TLS_BOUNDS,
    handshakeTimeout: config.handshakeTimeoutMs,
    maxHeaderSize: config.maxHeaderBytes,
    headersTimeout: config.headersTimeoutMs,
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
function boundConnections(
  { server }: GatewayServer,
  { config }: ServerSetup,
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

/** Bodies are taken as they are; path, query and headers are text, so numbers in them are converted. Nothing is dropped silently. */
function useStrictValidation(server: GatewayServer): void {
  const options = { useDefaults: true, removeAdditional: false, allErrors: false } as const;
  const body = ajvFormats.default(new Ajv({ ...options, coerceTypes: false }));
  const text = ajvFormats.default(new Ajv({ ...options, coerceTypes: true }));
  server.setValidatorCompiler<object>(
    ({ schema, httpPart }): ValidateFunction => (httpPart === 'body' ? body : text).compile(schema),
  );
}

function answerWithProblems(server: GatewayServer, { config, deps }: RouteContext, routes: RouteTable): void {
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

function sendProblem(reply: FastifyReply, error: NectarError, requestId: string): void {
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
function answerMalformed(
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

function observe(server: GatewayServer, { deps, metrics }: RouteContext): void {
  server.addHook('onResponse', async (request: FastifyRequest, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const status = String(reply.raw.statusCode);
    metrics.requests.inc({ route, method: request.routeOptions.url === undefined ? 'other' : request.method, status });
    metrics.duration.observe({ route }, reply.elapsedTime / 1000);
    deps.log.debug(
      { route, status, ms: Math.round(reply.elapsedTime), requestId: request.access.requestId },
      'request answered',
    );
  });
}

/**
 * An answer sent before the body was read (refused, too large, disk full): closing at once would reset the connection
 * and take the answer with it, so what still comes is thrown away for a moment, and no longer.
 */
function closeUnread(server: GatewayServer, lingerMs: number): void {
  server.addHook('onSend', async (request, reply) => {
    if (!request.raw.complete) reply.removeHeader('connection');
  });
  server.addHook('onResponse', async (request) => {
    const { raw } = request;
    if (raw.complete || raw.socket.destroyed) return;
    const timer = setTimeout(() => raw.socket.destroy(), lingerMs).unref();
    const clear = () => clearTimeout(timer);
    raw.once('end', clear).once('close', clear);
    raw.resume();
  });
}

/** An answer in one piece that the client does not take would hold its connection for good; downloads watch themselves. */
function closeUntaken(server: GatewayServer, stallMs: number): void {
  server.addHook('onSend', async (_request, { raw }) => {
    // Gone already, it will not say so a second time.
    if (raw.destroyed) return;
    const timer = setTimeout(() => raw.destroy(), stallMs).unref();
    raw.once('close', () => clearTimeout(timer));
  });
}
