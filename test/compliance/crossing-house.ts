import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Connection, createConnection } from '../../appliance/crossing/connection.ts';
import type { Dialer } from '../../appliance/crossing/dialer.ts';
import type { Route } from '../../appliance/crossing/route.ts';
import { createCrossingServer } from '../../appliance/crossing/server.ts';
import { socketDialer } from '../../appliance/crossing/socket-dialer.ts';
import { CROSSINGS, type CrossingName } from '../../appliance/crossing/table.ts';
import { createCertificates } from '../../appliance/crossing/tls/certificates.ts';
import { createCrossingMetrics } from '../../appliance/crossing/tls/metrics.ts';
import { createOpenConnections } from '../../appliance/crossing/tls/open-connections.ts';
import { tlsDialer } from '../../appliance/crossing/tls/tls-dialer.ts';
import { createTlsServer } from '../../appliance/crossing/tls/tls-server.ts';
import { CROSSING_VERSION } from '../../appliance/crossing/version.ts';
import type { Service } from '../../appliance/service.ts';
import { createLogger, createMetrics } from '../../appliance/telemetry/index.ts';
import { INSTANCE, issuePair } from './crossing-certificates.ts';

export const log = createLogger({ level: 'silent' });

/** What crossings go over: whatever holds over one has to hold over the other. */
export const CARRIERS = ['sockets', 'tls'] as const;
export type CarrierName = (typeof CARRIERS)[number];

/** One crossing of its own, its serving half replaceable. */
export interface CrossingHouse {
  readonly connection: Connection;
  /** Serves these routes from now on, as a new process of the other role would. */
  serve(routes: readonly Route[], version?: number): Promise<void>;
  /** As if the other role had ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

interface Ground {
  readonly dialer: Dialer;
  server(routes: readonly Route[], version: number): Service;
  started(server: Service): void;
  /** Resolves once the calling half knows it. */
  stopped(): Promise<void>;
}

export async function createCrossingHouse(crossing: CrossingName, carrier: CarrierName): Promise<CrossingHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-crossing-'));
  const ground = carrier === 'tls' ? await tlsGround(crossing, folder) : socketGround(crossing, folder);
  const service = CROSSINGS[crossing].server;
  const connection = createConnection({ service, dialer: ground.dialer });
  let server: Service | undefined;
  const house: CrossingHouse = {
    connection,
    async serve(routes, version = CROSSING_VERSION) {
      await house.stop();
      server = ground.server(routes, version);
      await server.start(new AbortController().signal);
      ground.started(server);
    },
    async stop() {
      await server?.stop();
      server = undefined;
      await ground.stopped();
    },
    async close() {
      await connection.close();
      await house.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return house;
}

function socketGround(name: CrossingName, folder: string): Ground {
  const path = join(folder, 'at', 'nectar.sock');
  return {
    dialer: socketDialer(path),
    server: (routes, version) => createCrossingServer({ name, path, version }, { routes, log }),
    started: () => undefined,
    stopped: async () => undefined,
  };
}

/** No process listens there. */
const NOWHERE = 1;

async function tlsGround(crossing: CrossingName, folder: string): Promise<Ground> {
  const { server: role, callers } = CROSSINGS[crossing];
  const [caller = 'gateway'] = callers;
  const now = Date.now;
  const end = async (of: typeof role | typeof caller) => {
    const certificates = createCertificates(
      { folder: await issuePair(join(folder, of), of), role: of, instance: INSTANCE },
      { log, now },
    );
    await certificates.reload();
    return { certificates, open: createOpenConnections({ now, pair: certificates.find }) };
  };
  const [serving, calling] = [await end(role), await end(caller)];
  const metrics = createCrossingMetrics(createMetrics(), { ...serving, now });
  // Each new process gets a port of its own, so that no other suite is met at the one before.
  const address = { host: '127.0.0.1', port: NOWHERE };
  return {
    dialer: tlsDialer({ crossing, instance: INSTANCE, address }, calling),
    server: (routes, version) =>
      createTlsServer(
        { role, instance: INSTANCE, listen: { host: '127.0.0.1', port: 0 }, version },
        { crossings: { [crossing]: routes }, ...serving, metrics, log },
      ),
    started(server) {
      address.port = (server as ReturnType<typeof createTlsServer>).port() ?? NOWHERE;
    },
    async stopped() {
      address.port = NOWHERE;
      // The end of a connection is on its way for a moment: who calls within it loses that call.
      while (calling.open.count > 0) await nextTurn();
    },
  };
}
