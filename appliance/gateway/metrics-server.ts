import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuardedHttp } from '../guarded-http.ts';
import type { Readiness, Service } from '../service.ts';
import type { Logger, NodeMetrics } from '../telemetry/index.ts';
import { listen } from './listen.ts';

const MAX_HEADER_BYTES = 4096;
const MAX_CONNECTIONS = 16;
const TIMEOUT_MS = 10_000;

interface MetricsOptions {
  /** 0: it does not listen. */
  readonly metricsPort: number;
  readonly metricsHost: string;
}

export interface MetricsServer extends Service {
  /** Undefined while it does not listen. */
  url(): string | undefined;
}

/** Prometheus metrics, plain HTTP, on loopback unless told otherwise: no personal data, and no token that a scraper would have to keep. */
export function createMetricsServer(
  { metricsPort: port, metricsHost: host }: MetricsOptions,
  deps: { metrics: NodeMetrics; log: Logger },
): MetricsServer {
  const log = deps.log.child({ service: 'metrics' });
  let server: Server | undefined;

  return {
    name: 'metrics',
    async start() {
      if (port === 0) return;
      server = await openMetricsServer({ port, host }, deps.metrics);
      log.info({ port: (server.address() as AddressInfo).port }, 'metrics listening');
    },
    async stop() {
      server?.closeAllConnections();
      await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
      server = undefined;
    },
    readiness(): Readiness {
      return { ready: true };
    },
    url() {
      const address = server?.address() as AddressInfo | null | undefined;
      if (address == null) return undefined;
      return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}/metrics`;
    },
  };
}

/** Port 0 takes any free one. GATEWAY_PORT_IN_USE, GATEWAY_LISTEN_REFUSED. */
export async function openMetricsServer(
  { port, host }: { readonly port: number; readonly host: string },
  metrics: NodeMetrics,
): Promise<Server> {
  const options = { maxConnections: MAX_CONNECTIONS, maxHeaderBytes: MAX_HEADER_BYTES, timeoutMs: TIMEOUT_MS };
  const server = createGuardedHttp(options, (request, response) => {
    if (request.url !== '/metrics') return response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return response.writeHead(405, { allow: 'GET, HEAD' }).end();
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await listen(server, host, port);
  return server;
}
