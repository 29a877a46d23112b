import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NectarError } from '../../protocol/errors.ts';
import type { Service } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';
import { attend } from './attend.ts';
import { acceptUpgrade, isUpgrade, refuseUpgrade } from './handshake.ts';
import type { Route } from './route.ts';
import { listenOnSocket } from './socket.ts';
import { CROSSING_VERSION, parseVersion, VERSION_HEADER } from './version.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 1_000;
const MAX_HEADER_BYTES = 8 * 1024;
/** The gateway serves 256 requests at a time; feeds and loops of the other roles come on top. */
const MAX_CONNECTIONS = 1024;

export interface CrossingServerOptions {
  /** For logs: the crossing's name. */
  readonly name: string;
  readonly path: string;
  /** Stated to clients; another number only in tests of skew. */
  readonly version?: number;
}

export interface CrossingServerDeps {
  readonly routes: readonly Route[];
  readonly log: Logger;
}

/** The serving half of a crossing: connections over a Unix socket that begin as HTTP and carry one call after the other. */
export function createCrossingServer(options: CrossingServerOptions, { routes, log }: CrossingServerDeps): Service {
  const { name, path, version = CROSSING_VERSION } = options;
  const table = new Map(routes.map((route) => [route.name, route]));
  const open = new Set<Duplex>();
  let server: Server | undefined;

  /** Why a request is no call of ours; undefined when it is one. */
  function refusal({ headers }: IncomingMessage): NectarError | undefined {
    const theirs = parseVersion(headers[VERSION_HEADER]);
    if (theirs === version) return isUpgrade(headers.upgrade) ? undefined : new NectarError('GATEWAY_ROUTE_ABSENT', {});
    // Roles restart one after the other during an upgrade: refused, and tried again by the client.
    log.warn({ crossing: name, ours: version, theirs }, 'a role of another version was refused');
    return new NectarError('NODE_VERSION_SKEW', { service: name, ours: version, theirs });
  }

  function welcome(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = stream as Socket;
    open.add(socket.on('error', ignore).on('close', () => open.delete(socket)));
    const refused = refusal(request);
    if (refused !== undefined) {
      refuseUpgrade(socket, version, refused);
      return;
    }
    acceptUpgrade(socket, version);
    void attend(socket, { head, routes: table, log });
  }

  return {
    name: `crossing ${name}`,
    async start() {
      const made = createServer({
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      });
      made.on('request', (request: IncomingMessage) => {
        const refused = refusal(request) ?? new NectarError('GATEWAY_ROUTE_ABSENT', {});
        refuseUpgrade(request.socket, version, refused);
      });
      made.on('upgrade', welcome);
      made.maxConnections = MAX_CONNECTIONS;
      await listenOnSocket(made, path);
      made.on('error', (error) => log.error({ crossing: name, err: error }, 'socket failed'));
      server = made;
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeAllConnections();
      for (const socket of open) socket.destroy();
      await closed;
    },
    readiness: () => (server === undefined ? { ready: false, reason: 'not listening' } : { ready: true }),
  };
}

function ignore(): void {
  // Whoever reads or writes learns of it by the events that follow.
}
