import { createServer, type Server } from 'node:http';
import type { Service } from '../../service.ts';
import { listenOnSocket } from '../socket.ts';

const MAX_CONNECTIONS = 16;
const TIMEOUT_MS = 5_000;
const CHECK_INTERVAL_MS = 1_000;

/** What /readyz of a role says. */
export interface RoleHealth {
  readonly ready: boolean;
  readonly reasons: readonly { readonly service: string; readonly reason: string }[];
}

type Probed = Pick<Service, 'name' | 'readiness'>;

/** The role's own health: /livez calls nothing, /readyz asks its services whether they are usable. */
export function createHealthServer(path: string, services: readonly Probed[]): Service {
  let server: Server | undefined;
  return {
    name: 'health',
    async start() {
      const timeouts = {
        requestTimeout: TIMEOUT_MS,
        headersTimeout: TIMEOUT_MS,
        keepAliveTimeout: 1,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      };
      const made = createServer(timeouts, (request, response) => {
        const health = request.url === '/livez' ? { ready: true, reasons: [] } : healthOf(services);
        const body = Buffer.from(JSON.stringify(health));
        response.writeHead(health.ready ? 200 : 503, {
          'content-type': 'application/json',
          'content-length': body.length,
        });
        response.end(body);
      });
      made.maxConnections = MAX_CONNECTIONS;
      await listenOnSocket(made, path);
      server = made;
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      await new Promise<void>((resolve) => {
        closing.close(() => resolve());
        closing.closeAllConnections();
      });
    },
    readiness: () => (server === undefined ? { ready: false, reason: 'not listening' } : { ready: true }),
  };
}

function healthOf(services: readonly Probed[]): RoleHealth {
  const reasons = services.flatMap((service) => {
    const state = service.readiness();
    return state.ready ? [] : [{ service: service.name, reason: state.reason }];
  });
  return { ready: reasons.length === 0, reasons };
}
