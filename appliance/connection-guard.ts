import type { Server, Socket } from 'node:net';
import { createTrust, networkOf } from './peer-network.ts';

export interface ConnectionLimits {
  /** Open connections in all. */
  readonly maxConnections: number;
  /** Of them, connections whose peer has not shown who it is; the rest is kept for those that have. */
  readonly maxStrangers: number;
  /** The same from one network (an IPv4 address, or a /64 of IPv6). */
  readonly maxStrangersPerNetwork: number;
  /** New connections a second from one network, and how many at once; one that shows who it is does not count. */
  readonly strangersPerSecond: number;
  readonly strangersAtOnce: number;
  /** Time until TLS is agreed; undefined for a listener without TLS. */
  readonly handshakeMs?: number;
  /** Time from then until the first whole request. */
  readonly firstRequestMs: number;
  /** Addresses or CIDR blocks that the bounds of one network do not hold for, such as a proxy; loopback is always one. */
  readonly trusted: readonly string[];
}

/**
 * Why a connection was ended: `rate` too many new ones from its network; `crowded` its network has more open than it may;
 * `evicted` the room was needed for others; `full` no room can be made; `silent` it did not come to a request in time.
 */
export type ConnectionEnd = 'rate' | 'crowded' | 'evicted' | 'full' | 'silent';

export interface ConnectionGuardDependencies {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly onEnded: (why: ConnectionEnd, address: string) => void;
}

export interface ConnectionGuard {
  /** A request on this connection begins; the function returned is to be called when its answer is done. */
  begin(socket: Socket): () => void;
  /** The peer has shown who it is: from now on its connection is one of those that room is kept for. */
  identified(socket: Socket): void;
  counts(): { readonly strangers: number; readonly known: number };
}

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  readonly network: string;
  readonly openedAt: number;
  securedAt: number | undefined;
  known: boolean;
  requests: number;
  running: number;
  idleSince: number;
}

const MAX_SWEEP_MS = 1_000;
/** Networks whose rate is remembered; one that has been quiet is forgotten. */
const MAX_NETWORKS = 4_096;

/**
 * Keeps a listener open for those who may use it. Strangers (peers that have shown no token) have a bounded share of the
 * connections, a bounded share of that for each network, and a bounded time to come to the point; when the room is
 * needed, the longest-standing stranger of the most crowded network goes first, then the connection that is idle for
 * longest. It holds the TCP sockets themselves, so nothing that TLS or HTTP forgets to close stays open.
 */
export function guardConnections(
  server: Server,
  limits: ConnectionLimits,
  deps: ConnectionGuardDependencies,
): ConnectionGuard {
  const guard = new OpenConnections(limits, deps);
  // After the listeners of TLS and HTTP: they must not meet a socket that is gone already.
  server.on('connection', (socket: Socket) => guard.admit(socket));
  server.on('secureConnection', (socket: Socket) => guard.secured(socket));
  const longest = Math.min(limits.handshakeMs ?? limits.firstRequestMs, limits.firstRequestMs);
  const sweep = setInterval(() => guard.sweep(), Math.min(MAX_SWEEP_MS, Math.ceil(longest / 4))).unref();
  server.on('close', () => clearInterval(sweep));
  return guard;
}

class OpenConnections implements ConnectionGuard {
  readonly #limits: ConnectionLimits;
  readonly #deps: ConnectionGuardDependencies;
  readonly #isTrusted: (address: string) => boolean;
  /** By both ends, which TLS leaves as they are: the socket that HTTP shows is not the one that was accepted. */
  readonly #open = new Map<string, Connection>();
  readonly #strangers = new Map<string, Set<Connection>>();
  readonly #rates = new Map<string, { tokens: number; at: number }>();
  #strangerCount = 0;

  constructor(limits: ConnectionLimits, deps: ConnectionGuardDependencies) {
    this.#limits = limits;
    this.#deps = deps;
    this.#isTrusted = createTrust(limits.trusted);
  }

  admit(socket: Socket): void {
    const key = endsOf(socket);
    // Gone before it was accepted.
    if (key === undefined) {
      socket.destroy();
      return;
    }
    const address = socket.remoteAddress ?? '';
    const now = this.#deps.now();
    const connection: Connection = {
      socket,
      address,
      network: networkOf(address),
      openedAt: now,
      securedAt: this.#limits.handshakeMs === undefined ? now : undefined,
      known: false,
      requests: 0,
      running: 0,
      idleSince: now,
    };
    const refused = this.#makeRoom(connection);
    if (refused === undefined) this.#add(key, connection);
    else this.#end(connection, refused);
  }

  secured(socket: Socket): void {
    const connection = this.#find(socket);
    if (connection !== undefined) connection.securedAt = this.#deps.now();
  }

  begin(socket: Socket): () => void {
    const connection = this.#find(socket);
    if (connection === undefined) return () => undefined;
    connection.requests++;
    connection.running++;
    return () => {
      connection.running--;
      connection.idleSince = this.#deps.now();
    };
  }

  identified(socket: Socket): void {
    const connection = this.#find(socket);
    if (connection === undefined || connection.known) return;
    connection.known = true;
    this.#forgetStranger(connection);
    const rate = this.#rates.get(connection.network);
    if (rate !== undefined) rate.tokens = Math.min(this.#limits.strangersAtOnce, rate.tokens + 1);
  }

  counts(): { strangers: number; known: number } {
    return { strangers: this.#strangerCount, known: this.#open.size - this.#strangerCount };
  }

  /** Ends what did not come to a request in time, and forgets networks that have been quiet. */
  sweep(): void {
    const now = this.#deps.now();
    for (const connection of this.#open.values()) {
      if (connection.requests > 0) continue;
      const { handshakeMs = 0, firstRequestMs } = this.#limits;
      const { openedAt, securedAt } = connection;
      const due = securedAt === undefined ? openedAt + handshakeMs : securedAt + firstRequestMs;
      if (due <= now) this.#end(connection, 'silent');
    }
    for (const [network, rate] of this.#rates) {
      if (this.#refilled(rate, now) >= this.#limits.strangersAtOnce) this.#rates.delete(network);
    }
  }

  #makeRoom({ address, network }: Connection): ConnectionEnd | undefined {
    const { maxConnections, maxStrangers, maxStrangersPerNetwork } = this.#limits;
    if (!this.#isTrusted(address)) {
      if (!this.#takeRate(network)) return 'rate';
      const own = this.#strangers.get(network);
      if (own !== undefined && own.size >= maxStrangersPerNetwork) this.#end(oldestOf(own), 'crowded');
    }
    if (this.#strangerCount >= maxStrangers) this.#end(this.#oldestStranger(), 'evicted');
    if (this.#open.size < maxConnections) return undefined;
    const leaving = this.#oldestStranger() ?? this.#longestIdle();
    if (leaving === undefined) return 'full';
    this.#end(leaving, 'evicted');
    return undefined;
  }

  #takeRate(network: string): boolean {
    const now = this.#deps.now();
    const known = this.#rates.get(network) ?? { tokens: this.#limits.strangersAtOnce, at: now };
    const tokens = this.#refilled(known, now);
    if (tokens < 1) return false;
    if (!this.#rates.has(network) && this.#rates.size >= MAX_NETWORKS) {
      const first = this.#rates.keys().next().value;
      if (first !== undefined) this.#rates.delete(first);
    }
    this.#rates.set(network, { tokens: tokens - 1, at: now });
    return true;
  }

  #refilled({ tokens, at }: { tokens: number; at: number }, now: number): number {
    const { strangersPerSecond, strangersAtOnce } = this.#limits;
    return Math.min(strangersAtOnce, tokens + ((now - at) / 1_000) * strangersPerSecond);
  }

  #add(key: string, connection: Connection): void {
    const { network, socket } = connection;
    this.#open.set(key, connection);
    this.#strangers.set(network, (this.#strangers.get(network) ?? new Set()).add(connection));
    this.#strangerCount++;
    socket.once('close', () => this.#forget(key, connection));
  }

  #forget(key: string, connection: Connection): void {
    if (this.#open.get(key) === connection) this.#open.delete(key);
    this.#forgetStranger(connection);
  }

  #forgetStranger(connection: Connection): void {
    const own = this.#strangers.get(connection.network);
    if (own?.delete(connection) !== true) return;
    this.#strangerCount--;
    if (own.size === 0) this.#strangers.delete(connection.network);
  }

  /** Counted out at once: its socket closes in a later turn, and the next one to come may be here before. */
  #end(connection: Connection | undefined, why: ConnectionEnd): void {
    if (connection === undefined) return;
    const key = endsOf(connection.socket);
    if (key !== undefined) this.#forget(key, connection);
    connection.socket.destroy();
    this.#deps.onEnded(why, connection.address);
  }

  #oldestStranger(): Connection | undefined {
    let crowd: Set<Connection> | undefined;
    for (const own of this.#strangers.values()) if (own.size > (crowd?.size ?? 0)) crowd = own;
    return crowd === undefined ? undefined : oldestOf(crowd);
  }

  #longestIdle(): Connection | undefined {
    let longest: Connection | undefined;
    for (const connection of this.#open.values()) {
      if (connection.running === 0 && connection.idleSince < (longest?.idleSince ?? Number.POSITIVE_INFINITY))
        longest = connection;
    }
    return longest;
  }

  #find(socket: Socket): Connection | undefined {
    const key = endsOf(socket);
    return key === undefined ? undefined : this.#open.get(key);
  }
}

/** The oldest that serves no request, else the oldest. Sets keep the order in which connections came. */
function oldestOf(connections: Set<Connection>): Connection | undefined {
  for (const connection of connections) if (connection.running === 0) return connection;
  return connections.values().next().value;
}

/** Both ends of a TCP connection; undefined once it is gone. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
