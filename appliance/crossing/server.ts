import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import type { Service } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';
import { failureOf } from './failure-of.ts';
import { encodeFailure } from './message.ts';
import type { Route } from './route.ts';
import { listenOnSocket } from './socket.ts';
import { CROSSING_VERSION, parseVersion, VERSION_HEADER } from './version.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 8 * 1024;
/** The gateway serves 256 requests at a time; feeds and loops of the other roles come on top. */
const MAX_CONNECTIONS = 1024;
/** A body that was answered before its end is still read so long: closing at once could take the answer with it. */
const LINGER_MS = 2_000;
const STREAM_BUFFER_BYTES = 1024 * 1024;

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

/** The serving half of a crossing: HTTP over a Unix socket, one POST per call. */
export function createCrossingServer(options: CrossingServerOptions, { routes, log }: CrossingServerDeps): Service {
  const { name, path, version = CROSSING_VERSION } = options;
  const table = new Map(routes.map((route) => [`/${route.name}`, route]));
  let server: Server | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader(VERSION_HEADER, version);
    const theirs = parseVersion(request.headers[VERSION_HEADER]);
    if (theirs !== version) {
      // Roles restart one after the other during an upgrade: refused, and tried again by the client.
      log.warn({ crossing: name, ours: version, theirs }, 'a role of another version was refused');
      throw new NectarError('NODE_VERSION_SKEW', { service: name, ours: version, theirs });
    }
    const route = request.method === 'POST' ? table.get(request.url ?? '') : undefined;
    if (route === undefined) throw new NectarError('GATEWAY_ROUTE_ABSENT', {});
    const gone = disconnection(response, route.name);
    await route.serve(request, response, gone);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', ignore);
    response.on('error', ignore);
    answer(request, response)
      .catch((error: unknown) => refuse(error, request, response))
      .finally(() => linger(request));
  }

  function refuse(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const failure = failureOf(error, { log, operation: (request.url ?? '').slice(1) });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = encodeFailure(failure);
    response.writeHead(failure.status, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  }

  return {
    name: `crossing ${name}`,
    async start() {
      const made = createServer(
        {
          maxHeaderSize: MAX_HEADER_BYTES,
          headersTimeout: HEADERS_TIMEOUT_MS,
          requestTimeout: 0, // a stream may last for hours; single messages are timed by their route
          keepAliveTimeout: 0, // nobody else can hold connections here, and closing idle ones races with their next request
          highWaterMark: STREAM_BUFFER_BYTES,
        },
        handle,
      );
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
      await closed;
    },
    readiness: () => (server === undefined ? { ready: false, reason: 'not listening' } : { ready: true }),
  };
}

function disconnection(response: ServerResponse, operation: string): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished)
      controller.abort(new NectarError('NODE_CONNECTION_LOST', { service: 'the caller', operation }));
  });
  return controller.signal;
}

function linger(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(timer));
  request.resume();
}

function ignore(): void {
  // Whoever reads or writes learns of it by the events that follow.
}
