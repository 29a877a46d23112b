import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { NectarError } from '../../protocol/errors.ts';
import { actorOf, authorise, type Claim, identifyCaller } from './authorise.ts';
import type { RouteContext, RouteGuard } from './gateway-server.ts';
import { httpStatusOf } from './http-status.ts';
import { challengeOf, encodeProblem, nectarErrorOf, PROBLEM_TYPE, problemOf } from './problem.ts';
import { accessOf, createRequestId } from './request-guard.ts';
import { CLOSE, createRpcSession, type RpcSession } from './rpc-session.ts';
import type { Principal } from './tokens.ts';

/** A client that does not answer a ping until the next one is gone, or takes nothing. */
const PING_MS = 30_000;
const RPC_PATH = /^\/rpc(?:\/([A-Za-z0-9_-]{1,128}))?(?:\?.*)?$/;
const GUARD: RouteGuard = { scope: 'rpc' };

interface Open {
  readonly socket: WebSocket;
  readonly session: RpcSession;
  readonly tokenId: string;
  answered: boolean;
}

/** Whether the request opens a WebSocket of /rpc: every other one is a plain request. */
export function isRpcUpgrade({ url, headers }: IncomingMessage): boolean {
  return RPC_PATH.test(url ?? '') && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Serves JSON-RPC over WebSocket at /rpc and /rpc/TOKEN, under the same guards as the plain route. */
export function serveRpcSockets(server: Server, context: RouteContext): void {
  const { config, deps, stopping } = context;
  const sockets = new Set<Open>();
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: config.maxRpcBytes,
    // A client could have the node compress for it, and keep a window of memory for each connection.
    perMessageDeflate: false,
  });

  function open(socket: WebSocket, claim: Claim, { tokenId }: Principal): void {
    const session = createRpcSession(
      socket,
      {
        tokenId,
        maxBatch: config.maxRpcBatch,
        maxBufferBytes: config.maxRpcSocketBufferBytes,
        lingerMs: config.lingerMs,
      },
      {
        rollup: deps.rollup,
        randomBytes: deps.randomBytes,
        turn: (signal) => context.requests.take(tokenId, signal, stopping),
        recheck: () => identifyCaller(claim, GUARD, context),
      },
    );
    const entry: Open = { socket, session, tokenId, answered: true };
    sockets.add(entry);
    socket.on('pong', () => {
      entry.answered = true;
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) session.end(CLOSE.policy, 'JSON-RPC is text');
      else session.take(String(data));
    });
    // What is wrong with a frame ends the connection, and says why by itself.
    socket.on('error', () => socket.terminate());
    socket.once('close', () => sockets.delete(entry));
  }

  function assertRoom(tokenId: string): void {
    const own = Array.from(sockets).filter((entry) => entry.tokenId === tokenId).length;
    const what = 'WebSocket connections';
    if (own >= config.maxRpcSocketsPerToken)
      throw new NectarError('GATEWAY_TOKEN_BUSY', { what, limit: config.maxRpcSocketsPerToken });
    if (sockets.size >= config.maxRpcSockets)
      throw new NectarError('GATEWAY_BUSY', { what, limit: config.maxRpcSockets });
  }

  async function accept(request: IncomingMessage, stream: Duplex, head: Buffer, requestId: string): Promise<void> {
    context.hosts.check(request);
    if (stopping.aborted) throw new NectarError('GATEWAY_STOPPING', {});
    const inPath = RPC_PATH.exec(request.url ?? '')?.[1];
    const claim: Claim = {
      socket: request.socket,
      authorization: request.headers.authorization,
      ...(inPath !== undefined && { inPath }),
      method: 'GET',
      route: inPath === undefined ? '/rpc' : '/rpc/:token',
      access: accessOf(request, requestId),
    };
    const principal = await authorise(claim, GUARD, context);
    context.connections.identified(request.socket);
    context.origins.check(request.headers);
    if ((await deps.keys.state()) === 'locked') throw new NectarError('KEY_LOCKED', {});
    assertRoom(principal.tokenId);
    deps.log.debug({ requestId, token: actorOf(principal).tokenId }, 'websocket opened');
    upgrades.handleUpgrade(request, stream, head, (socket) => open(socket, claim, principal));
  }

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const requestId = createRequestId(deps);
    stream.on('error', () => stream.destroy());
    stream.once('close', context.connections.begin(stream as Socket));
    accept(request, stream, head, requestId).catch((error: unknown) => {
      const problem = nectarErrorOf(error, requestId, { bodyBytes: config.maxRpcBytes });
      if (problem.code === 'NODE_INTERNAL') deps.log.error({ err: error, requestId }, 'request met a bug');
      refuse(stream, problem, requestId);
    });
  });

  deps.tokens.onRevoked((tokenId) => {
    for (const entry of sockets) if (entry.tokenId === tokenId) entry.session.end(CLOSE.policy, 'the token is revoked');
  });
  stopping.addEventListener('abort', () => {
    for (const { session } of sockets) session.end(CLOSE.goingAway, 'the node stops');
  });
  const pings = setInterval(() => {
    for (const entry of sockets) keepAlive(entry);
  }, PING_MS).unref();
  server.once('close', () => clearInterval(pings));
}

function keepAlive(entry: Open): void {
  if (!entry.answered) {
    entry.session.end(CLOSE.policy, 'no answer to a ping');
    return;
  }
  entry.answered = false;
  entry.socket.ping();
  // A subscriber sends nothing: its token may have expired since.
  entry.session.check().catch(() => undefined);
}

/** Before the upgrade it is HTTP still, and says why as HTTP does. */
function refuse(stream: Duplex, error: NectarError, requestId: string): void {
  if (!stream.writable) {
    stream.destroy();
    return;
  }
  const body = encodeProblem(problemOf(error, requestId));
  const status = httpStatusOf(error.code);
  const challenge = challengeOf(error);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    `x-request-id: ${requestId}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(challenge === undefined ? [] : [`www-authenticate: ${challenge}`]),
  ];
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => stream.destroy());
}
