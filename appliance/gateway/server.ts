import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { FastifyRequest } from 'fastify';
import { answerWithProblems } from './answer-problems.ts';
import type { BackupNotes } from './backup-notes.ts';
import { createBegunRequests } from './begun-requests.ts';
import { closeUnread, closeUntaken } from './close-unfinished.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { createExclusive } from './exclusive.ts';
import type { GatewayServer, RouteContext } from './gateway-server.ts';
import type { HardeningNotes } from './hardening-notes.ts';
import { createHostNames, type HostNames } from './host-names.ts';
import { boundConnections, createHttpsServer, type ServerIdentity } from './https-server.ts';
import { createGatewayMetrics, type GatewayMetrics } from './metrics.ts';
import { addOpenApi } from './openapi.ts';
import { addRequestGuard } from './request-guard.ts';
import type { RouteTable } from './route-table.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addAuditorRoutes } from './routes/auditor.ts';
import { addBackupRoutes } from './routes/backups.ts';
import { addChainRoutes } from './routes/chain.ts';
import { addClientRoutes } from './routes/clients.ts';
import { addCustodyRoutes } from './routes/custody.ts';
import { addHardeningRoutes } from './routes/hardening.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addLogLevelRoutes } from './routes/log-levels.ts';
import { addNodeRoutes } from './routes/node.ts';
import { addRecordBatchRoutes } from './routes/record-batch.ts';
import { addRecordPresenceRoutes } from './routes/record-presence.ts';
import { addRecordRoutes } from './routes/records.ts';
import { addResumableRoutes } from './routes/resumable.ts';
import { addRpcRoutes } from './routes/rpc.ts';
import { addSecurityTxtRoute } from './routes/security-txt.ts';
import { addShardRoutes } from './routes/shards.ts';
import { addStorageRoutes } from './routes/storage.ts';
import { addTinkRoutes } from './routes/tink.ts';
import { addTokenRoutes } from './routes/tokens.ts';
import { addUploadRoutes } from './routes/uploads.ts';
import { createRpcOrigins } from './rpc-origins.ts';
import { serveRpcSockets } from './rpc-sockets.ts';
import { createSecurityEvents, type SecurityEvents } from './security-events.ts';
import { createTurns } from './turns.ts';

const ROUTES = [
  addNodeRoutes,
  addAuditorRoutes,
  addLogLevelRoutes,
  addSecurityTxtRoute,
  addChainRoutes,
  addRecordRoutes,
  addRecordBatchRoutes,
  addRecordPresenceRoutes,
  addUploadRoutes,
  addResumableRoutes,
  addAuditRoutes,
  addKeyRoutes,
  addStorageRoutes,
  addShardRoutes,
  addTinkRoutes,
  addTokenRoutes,
  addClientRoutes,
  addHardeningRoutes,
  addBackupRoutes,
  addCustodyRoutes,
  addRpcRoutes,
];

export interface BuiltServer {
  readonly server: GatewayServer;
  readonly routes: RouteTable;
  readonly events: SecurityEvents;
  readonly hosts: HostNames;
  readonly metrics: GatewayMetrics;
}

export interface ServerSetup {
  readonly config: GatewayConfig;
  readonly version: string;
  readonly tls: ServerIdentity;
  readonly clients: RouteContext['clients'];
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
  const hosts = createHostNames(config.hostNames);
  const context: RouteContext = {
    config,
    deps,
    metrics,
    events,
    connections: boundConnections(server, setup, { metrics, events }),
    origins: createRpcOrigins(config.corsOrigins),
    hosts,
    requests,
    stopping: setup.stopping,
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
    clients: setup.clients,
  };
  const routes: RouteTable = [];

  useStrictValidation(server);
  answerWithProblems(server, context, routes);
  observe(server, context);
  closeUnread(server, config.lingerMs);
  closeUntaken(server, config.responseStallTimeoutMs);
  const begun = createBegunRequests(config.lingerMs);
  deps.tokens.onRevoked((tokenId) => begun.end(tokenId));
  addRequestGuard(server, context, begun);
  serveRpcSockets(server.server, context);
  server.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.push({ method: name, url });
  });
  await addOpenApi(server, setup.version);
  for (const add of ROUTES) {
    server.register(async (scope) => add(scope as GatewayServer, context));
  }
  await server.ready();
  return { server, routes, events, hosts, metrics };
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

function observe(server: GatewayServer, { deps, metrics }: RouteContext): void {
  server.addHook('onResponse', (request: FastifyRequest, reply, done) => {
    done();
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
