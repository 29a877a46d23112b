import { createServer, type Server, type ServerResponse } from 'node:http';
import { isNectarError } from '../../../protocol/errors.ts';
import type { Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import { listenOnSocket, type SocketAccess } from '../socket.ts';

const MAX_CONNECTIONS = 16;
const TIMEOUT_MS = 5_000;
const CHECK_INTERVAL_MS = 1_000;

/** What /readyz of a role says. */
export interface RoleHealth {
  readonly ready: boolean;
  readonly reasons: readonly { readonly service: string; readonly reason: string }[];
}

type Probed = Pick<Service, 'name' | 'readiness'>;

/**
 * The role's own health: /livez calls nothing, /readyz asks its services whether they are usable. With `status`, /status is the node at a
 * glance: the way in of this machine when the gateway's own door is full, or does not open.
 */
export function createHealthServer(
  path: string,
  services: readonly Probed[],
  { status, access }: { readonly status?: () => Promise<object>; readonly access?: SocketAccess } = {},
): Service {
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
        if (request.url === '/status' && status !== undefined) {
          status().then(
            (found) => answer(response, 200, found),
            () => answer(response, 500, {}),
          );
          return;
        }
        const health = request.url === '/livez' ? { ready: true, reasons: [] } : healthOf(services);
        answer(response, health.ready ? 200 : 503, health);
      });
      made.maxConnections = MAX_CONNECTIONS;
      await listenOnSocket(made, path, access);
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

/** For a node in one process, which no engine asks: where there can be no socket (the path of its home is too long), it runs without. */
export function startIfPossible(health: Service, log: Logger): Service {
  const start = (signal: AbortSignal): Promise<void> =>
    health.start(signal).catch((error: unknown) => {
      if (!isNectarError(error, 'NODE_SOCKET_UNUSABLE')) throw error;
      log.warn({ err: error }, 'there is no local socket for `status` and `doctor`');
    });
  return { ...health, start };
}

function answer(response: ServerResponse, code: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

function healthOf(services: readonly Probed[]): RoleHealth {
  const reasons = services.flatMap((service) => {
    const state = service.readiness();
    return state.ready ? [] : [{ service: service.name, reason: state.reason }];
  });
  return { ready: reasons.length === 0, reasons };
}
