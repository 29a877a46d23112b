import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, createConnection } from '../../appliance/crossing/connection.ts';
import type { Route } from '../../appliance/crossing/route.ts';
import { createCrossingServer } from '../../appliance/crossing/server.ts';
import { createLogger } from '../../appliance/telemetry/index.ts';

export const log = createLogger({ level: 'silent' });

/** One crossing on a socket of its own, its serving half replaceable. */
export interface CrossingHouse {
  readonly path: string;
  readonly connection: Connection;
  /** Serves these routes from now on, as a new process of the other role would. */
  serve(routes: readonly Route[], version?: number): Promise<void>;
  /** As if the other role had ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function createCrossingHouse(service: string): Promise<CrossingHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-crossing-'));
  const path = join(folder, 'at', 'nectar.sock');
  const connection = createConnection({ service, path });
  let server: ReturnType<typeof createCrossingServer> | undefined;
  const house: CrossingHouse = {
    path,
    connection,
    async serve(routes, version) {
      await house.stop();
      server = createCrossingServer(
        { name: service, path, ...(version !== undefined && { version }) },
        { routes, log },
      );
      await server.start(new AbortController().signal);
    },
    async stop() {
      await server?.stop();
      server = undefined;
    },
    async close() {
      await connection.close();
      await house.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return house;
}
