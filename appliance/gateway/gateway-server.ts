import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { ConnectionGuard } from '../connection-guard.ts';
import type { BackupNotes } from './backup-notes.ts';
import type { ClientAuthorities } from './client-authorities.ts';
import type { ClientCertificates } from './client-certificate.ts';
import type { ClientRevocations } from './client-revocations.ts';
import type { GatewayConfig } from './config.ts';
import type { AccessContext, GatewayDependencies } from './dependencies.ts';
import type { Exclusive } from './exclusive.ts';
import type { HardeningNotes } from './hardening-notes.ts';
import type { HostNames } from './host-names.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { RpcOrigins } from './rpc-origins.ts';
import type { Scope } from './schema-parts.ts';
import type { SecurityEvents } from './security-events.ts';
import type { Turns } from './turns.ts';

/** Request types come from the route's typebox schemas; answers are held to theirs by the serializer and the tests. */
interface RouteTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: unknown;
}

export type GatewayServer = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, RouteTypes>;

/** What the routes work with. */
export interface RouteContext {
  readonly config: GatewayConfig;
  readonly deps: GatewayDependencies;
  readonly metrics: GatewayMetrics;
  readonly events: SecurityEvents;
  readonly connections: ConnectionGuard;
  readonly origins: RpcOrigins;
  readonly hosts: HostNames;
  /** Of all authorised requests, in the order in which they are served. */
  readonly requests: Turns;
  /** Aborts when the node begins to stop. */
  readonly stopping: AbortSignal;
  /** Of large bodies: each takes memory while it is sealed. */
  readonly uploads: Turns;
  readonly exclusive: Exclusive;
  readonly hardening: HardeningNotes;
  readonly backups: BackupNotes;
  readonly clients: {
    readonly authorities: ClientAuthorities;
    readonly certificates: ClientCertificates;
    readonly revocations: ClientRevocations;
  };
}

/** How a route is guarded. Every route says so; a route that does not is refused when the server is built. */
export interface RouteGuard {
  /** `public`: no token. */
  readonly scope: Scope | 'public';
  /** Answered while the node is locked too. */
  readonly whileLocked?: boolean;
  /** The token stands in the path, as `:token`: for wallets, which can send no header. */
  readonly tokenInPath?: boolean;
  /** The body is not parsed but streamed, for as long as it takes. */
  readonly streamed?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: RouteGuard;
  }
  interface FastifyRequest {
    /** Who asks; of public routes, nobody. */
    access: AccessContext;
    /** Aborted when the client leaves before its answer is complete, and when the node stops. */
    gone: AbortSignal;
  }
}
