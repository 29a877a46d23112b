import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';
import { attend } from './attend.ts';
import { acceptUpgrade, isUpgrade, refuseUpgrade } from './handshake.ts';
import type { Route } from './route.ts';
import { parseVersion, VERSION_HEADER } from './version.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 1_000;
const MAX_HEADER_BYTES = 8 * 1024;

export type RouteTable = ReadonlyMap<string, Route>;

export function tableOf(routes: readonly Route[]): RouteTable {
  return new Map(routes.map((route) => [route.name, route]));
}

export interface UpgradesOptions {
  /** For logs and errors: who serves here. */
  readonly name: string;
  /** Stated to callers. */
  readonly version: number;
}

export interface UpgradesDeps {
  /** What the caller behind this connection may call. @throws NectarError why nothing */
  readonly admit: (request: IncomingMessage, socket: Socket) => RouteTable;
  readonly log: Logger;
}

/** Connections that begin as HTTP and carry one call after the other. */
export interface Upgrades {
  /** Listens, or is given connections. */
  readonly server: Server;
  /** Ends the connections that were upgraded. */
  end(): void;
}

export function createUpgrades({ name, version }: UpgradesOptions, { admit, log }: UpgradesDeps): Upgrades {
  const open = new Set<Duplex>();
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  });

  /** What a request may call. @throws NectarError why it is no call of ours */
  function admitted(request: IncomingMessage): RouteTable {
    const { headers, socket } = request;
    const routes = admit(request, socket);
    const theirs = parseVersion(headers[VERSION_HEADER]);
    if (theirs !== version) {
      // Roles restart one after the other during an upgrade: refused, and tried again by the client.
      log.warn({ crossing: name, ours: version, theirs }, 'a role of another version was refused');
      throw new NectarError('NODE_VERSION_SKEW', { service: name, ours: version, theirs });
    }
    if (!isUpgrade(headers.upgrade)) throw new NectarError('GATEWAY_ROUTE_ABSENT', {});
    return routes;
  }

  function refuse(socket: Socket, error: unknown): void {
    if (!isNectarError(error)) log.error({ crossing: name, err: error }, 'a connection of another role met a bug');
    refuseUpgrade(
      socket,
      version,
      isNectarError(error) ? error : new NectarError('NODE_INTERNAL', { reference: name }),
    );
  }

  server.on('request', (request: IncomingMessage) => {
    try {
      admitted(request);
      throw new NectarError('GATEWAY_ROUTE_ABSENT', {});
    } catch (error) {
      refuse(request.socket, error);
    }
  });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket;
    open.add(socket.on('error', ignore).on('close', () => open.delete(socket)));
    try {
      const routes = admitted(request);
      acceptUpgrade(socket, version);
      void attend(socket, { head, routes, log });
    } catch (error) {
      refuse(socket, error);
    }
  });
  return {
    server,
    end() {
      for (const socket of open) socket.destroy();
    },
  };
}

function ignore(): void {
  // Whoever reads or writes learns of it by the events that follow.
}
