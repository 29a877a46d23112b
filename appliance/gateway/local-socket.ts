import { chmod, lstat, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { answerMalformed } from './answer-problems.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayDependencies } from './dependencies.ts';
import type { GatewayServer } from './gateway-server.ts';
import type { GatewayMetrics } from './metrics.ts';
import { createRequestId } from './request-guard.ts';

/** The shortest of what systems allow for the path of a Unix socket (unix(7): 108 with its end, 104 on others). */
const MAX_PATH_BYTES = 103;
/** Programs of one user. */
const MAX_CONNECTIONS = 128;
const OTHERS = 0o077;

export interface LocalSocketSetup {
  readonly config: GatewayConfig;
  readonly deps: GatewayDependencies;
  readonly metrics: GatewayMetrics;
}

/**
 * The same API, the same tokens, for programs of this user on this machine: a Unix socket in the home, in a folder that nobody else may
 * enter. Who can open it could read the token and the keys beside it, so that TLS would keep nothing from anybody; without it a GiB
 * costs both sides half. A client there shows no certificate.
 *
 * Undefined, and said in the log, where there can be none: HTTPS is for everybody.
 */
export async function openLocalSocket(
  path: string,
  api: GatewayServer,
  setup: LocalSocketSetup,
): Promise<Server | undefined> {
  const { log } = setup.deps;
  try {
    await requirePrivate(path);
    // The lock of the home is ours: what is there was left by a node that was killed.
    await rm(path, { force: true });
    const server = createLocalServer(api, setup);
    await listenAt(server, path);
    return server;
  } catch (error) {
    log.debug({ reason: (error as Error).message }, 'the local socket does not listen');
    return undefined;
  }
}

async function requirePrivate(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new RangeError('its path is too long');
  const { uid, mode } = await lstat(dirname(path));
  if (uid !== process.geteuid?.() || (mode & OTHERS) !== 0) throw new RangeError('its folder is open to others');
}

function createLocalServer(api: GatewayServer, { config, deps, metrics }: LocalSocketSetup): Server {
  const answer = (request: IncomingMessage, response: ServerResponse): void => api.routing(request, response);
  const open = new WeakSet<Socket>();
  const server = createServer(
    {
      maxHeaderSize: config.maxHeaderBytes,
      headersTimeout: config.headersTimeoutMs,
      // As of HTTPS: an upload may last for hours, and its pauses are bounded.
      requestTimeout: 0,
      keepAliveTimeout: config.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, config.headersTimeoutMs),
    },
    answer,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket) => open.add(socket));
  // The guard of the API invites a body, once it has looked at the token.
  server.on('checkContinue', answer);
  server.on('clientError', (error: Error & { code: string }, socket: Socket) => {
    metrics.malformed.inc();
    answerMalformed(error, socket, { config, requestId: createRequestId(deps), secured: open });
  });
  return server;
}

async function listenAt(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o600);
}
