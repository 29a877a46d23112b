import { createServer, type RequestListener, type Server } from 'node:http';
import { guardConnections } from './connection-guard.ts';

export interface GuardedHttpOptions {
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** Time for a whole request, and the longest that a connection may lie still, also in the middle of an answer. */
  readonly timeoutMs: number;
}

const CHECK_INTERVAL_MS = 1_000;
const NEW_PER_SECOND = 64;
const NEW_AT_ONCE = 256;
const GRACE_MS = 1_000;
/** Of all connections, those of one network that is not this machine. */
const NETWORK_SHARE = 0.5;

/**
 * A plain HTTP server for whoever can reach it. It knows no callers, so it keeps nobody out for good: every time-out
 * frees its socket, and when all connections are taken, the one that lies still for longest makes room.
 */
export function createGuardedHttp(options: GuardedHttpOptions, listener: RequestListener): Server {
  const { maxConnections, maxHeaderBytes, timeoutMs } = options;
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    keepAliveTimeout: timeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, timeoutMs),
  });
  server.timeout = timeoutMs;
  const guard = guardConnections(
    server,
    {
      maxConnections,
      maxStrangers: maxConnections,
      maxStrangersPerNetwork: Math.max(1, Math.floor(maxConnections * NETWORK_SHARE)),
      strangersPerSecond: NEW_PER_SECOND,
      strangersAtOnce: NEW_AT_ONCE,
      firstRequestMs: timeoutMs + GRACE_MS,
      trusted: [],
    },
    { now: () => performance.now(), onEnded: () => undefined },
  );
  server.on('request', (request, response) => {
    response.once('close', guard.begin(request.socket));
    listener(request, response);
  });
  return server;
}
