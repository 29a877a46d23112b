import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { NectarError } from '../../../protocol/errors.ts';
import { type ConnectionGuard, guardConnections } from '../../connection-guard.ts';
import type { Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { ServedCrossings } from '../carrier.ts';
import { refuseUpgrade } from '../handshake.ts';
import { CROSSINGS, isCrossing, type SplitRole } from '../table.ts';
import { createUpgrades, type RouteTable, tableOf, type Upgrades } from '../upgrades.ts';
import { KEEP_ALIVE, TLS_BOUNDS } from './bounds.ts';
import type { Certificates } from './certificates.ts';
import type { CrossingMetrics } from './metrics.ts';
import type { OpenConnections } from './open-connections.ts';
import { type Peer, peerOf } from './peer.ts';
import { createRefusalLog } from './refusal-log.ts';
import { holderOf } from './role-name.ts';

const HANDSHAKE_MS = 5_000;
/** Node's own limit comes first; this one holds whatever happens to it. */
const GRACE_MS = 1_000;
const FIRST_REQUEST_MS = 5_000;
/** The gateway serves 256 requests at a time; feeds and loops of the other roles come on top. */
const MAX_CONNECTIONS_OF_CALLER = 1024;
/** Strangers in the cluster's network: what has not shown a certificate of this node. */
const STRANGERS = { maxStrangers: 512, maxStrangersPerNetwork: 384, strangersPerSecond: 128, strangersAtOnce: 512 };
/** Time that a refused one has to hear why. */
const LINGER_MS = 2_000;

export interface TlsServerOptions {
  readonly role: SplitRole;
  readonly instance: string;
  /** Without a host: all addresses. */
  readonly listen: { readonly host?: string; readonly port: number };
  readonly version: number;
}

export interface TlsServerDeps {
  readonly crossings: ServedCrossings;
  readonly certificates: Certificates;
  readonly open: OpenConnections;
  readonly metrics: CrossingMetrics;
  readonly log: Logger;
}

/** One TLS listener for all crossings of a role: who calls is told by its certificate, what it calls by the path of the upgrade. */
export function createTlsServer(
  options: TlsServerOptions,
  deps: TlsServerDeps,
): Service & { port(): number | undefined } {
  const { role, listen } = options;
  const { certificates, log } = deps;
  const accepted = new Set<Socket>();
  let server: Server | undefined;
  let upgrades: Upgrades | undefined;

  return {
    name: 'crossings',
    async start() {
      const made = createServer({
        ...TLS_BOUNDS,
        ...KEEP_ALIVE,
        requestCert: true,
        // Whoever shows no certificate of this node is told so, and nothing of it is read.
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_MS,
      });
      const renew = (): void => made.setSecureContext(certificates.find()?.options ?? TLS_BOUNDS);
      renew();
      certificates.onChange(renew);
      made.on('connection', (socket: Socket) => {
        accepted.add(socket.once('close', () => accepted.delete(socket)));
      });
      made.on('tlsClientError', (error: NodeJS.ErrnoException) => {
        deps.metrics.refused.inc({ reason: 'handshake' });
        log.debug({ code: error.code }, 'a connection to the crossings failed in the TLS handshake');
      });
      upgrades = welcome(made, options, deps);
      await listening(made, listen);
      made.on('error', (error) => log.error({ err: error }, 'the listener of the crossings failed'));
      server = made;
      log.info({ role, address: made.address() }, 'crossings listen');
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      upgrades?.end();
      for (const socket of accepted) socket.destroy();
      await closed;
    },
    readiness: () => (server === undefined ? { ready: false, reason: 'not listening' } : { ready: true }),
    port() {
      const address = server?.address();
      return typeof address === 'object' ? address?.port : undefined;
    },
  };
}

async function listening(server: Server, { host, port }: TlsServerOptions['listen']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const reason = error.code ?? 'it cannot be listened on';
      reject(new NectarError('NODE_SOCKET_UNUSABLE', { path: `${host ?? '*'}:${port}`, reason }, { cause: error }));
    };
    server.once('error', fail);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

/** Lets in who shows a certificate of this node, and to the crossings that are its role's. */
function welcome(server: Server, options: TlsServerOptions, deps: TlsServerDeps): Upgrades {
  const { role, instance, version } = options;
  const { certificates, open, metrics, log } = deps;
  const callers = new WeakMap<Socket, SplitRole>();
  const refusals = createRefusalLog(log, () => performance.now());
  const admission = createAdmission(options, deps, { guard: () => guard, callerOf: (socket) => callers.get(socket) });
  const upgrades = createUpgrades({ name: role, version }, { admit: admission, log });
  const guard = guardConnections(
    server,
    {
      ...STRANGERS,
      maxConnections: STRANGERS.maxStrangers + Object.keys(CROSSINGS).length * MAX_CONNECTIONS_OF_CALLER,
      handshakeMs: HANDSHAKE_MS + GRACE_MS,
      firstRequestMs: FIRST_REQUEST_MS,
      trusted: [],
    },
    { now: () => performance.now(), onEnded: (reason) => metrics.refused.inc({ reason }) },
  );

  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    const [own, caller] = [certificates.find(), callerOf(socket, instance)];
    if ('misfit' in caller || own === undefined) {
      const reason = 'misfit' in caller ? caller.misfit : 'the certificate of this role has expired';
      metrics.refused.inc({ reason: 'untrusted' });
      refusals.warn(socket.remoteAddress, { reason }, 'a connection to the crossings was refused');
      refuse(socket, version, new NectarError('NODE_CROSSING_UNTRUSTED', { service: 'the caller', reason }));
      return;
    }
    callers.set(socket, caller.role);
    open.add(socket, caller.peer, own);
    guard.identified(socket);
    upgrades.server.emit('connection', socket);
  });
  return upgrades;
}

type Caller = { readonly role: SplitRole; readonly peer: Peer } | { readonly misfit: string };

function callerOf(socket: TLSSocket, instance: string): Caller {
  const peer = peerOf(socket);
  if (peer === undefined) return { misfit: 'it shows no certificate' };
  if (socket.isSessionReused()) return { misfit: 'its session was resumed' };
  if (!socket.authorized) return { misfit: `its certificate does not hold: ${String(socket.authorizationError)}` };
  const holder = holderOf(peer.certificate, instance);
  return holder.role === undefined ? holder : { role: holder.role, peer };
}

/** Reads nothing of it, says why, and closes. */
function refuse(socket: TLSSocket, version: number, error: NectarError): void {
  socket.resume();
  refuseUpgrade(socket, version, error);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

interface Admitting {
  readonly guard: () => ConnectionGuard;
  readonly callerOf: (socket: Socket) => SplitRole | undefined;
}

function createAdmission(
  { role }: TlsServerOptions,
  { crossings, metrics, log }: TlsServerDeps,
  { guard, callerOf }: Admitting,
): (request: IncomingMessage, socket: Socket) => RouteTable {
  const tables = new Map(Object.entries(crossings).map(([name, routes]) => [name, tableOf(routes)]));
  const counts = new Map<string, number>();
  const refusals = createRefusalLog(log, () => performance.now());
  return (request, socket) => {
    const crossing = request.url?.slice(1) ?? '';
    const caller = callerOf(socket);
    const table = tables.get(crossing);
    if (caller === undefined || table === undefined || !isCrossing(crossing))
      throw new NectarError('GATEWAY_ROUTE_ABSENT', {});
    if (!CROSSINGS[crossing].callers.includes(caller)) {
      metrics.refused.inc({ reason: 'crossing' });
      refusals.warn(socket.remoteAddress, { caller, crossing }, 'a role was refused a crossing that it may not use');
      throw new NectarError('NODE_CROSSING_REFUSED', { caller, crossing });
    }
    const key = `${crossing} ${caller}`;
    const count = counts.get(key) ?? 0;
    if (count >= MAX_CONNECTIONS_OF_CALLER) {
      metrics.refused.inc({ reason: 'full' });
      throw new NectarError('NODE_NOT_READY', { service: role, reason: `${caller} has ${count} connections to it` });
    }
    counts.set(key, count + 1);
    const done = guard().begin(socket);
    socket.once('close', () => {
      counts.set(key, (counts.get(key) ?? 1) - 1);
      done();
    });
    return table;
  };
}
