import type { Service } from '../service.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Route } from './route.ts';
import { listenOnSocket } from './socket.ts';
import { createUpgrades, tableOf, type Upgrades } from './upgrades.ts';
import { CROSSING_VERSION } from './version.ts';

/** The gateway serves 256 requests at a time; feeds and loops of the other roles come on top. */
const MAX_CONNECTIONS = 1024;

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

/** The serving half of a crossing on a Unix socket of its own: whoever can open the socket may call. */
export function createCrossingServer(options: CrossingServerOptions, { routes, log }: CrossingServerDeps): Service {
  const { name, path, version = CROSSING_VERSION } = options;
  const table = tableOf(routes);
  let upgrades: Upgrades | undefined;
  return {
    name: `crossing ${name}`,
    async start() {
      const made = createUpgrades({ name, version }, { admit: () => table, log });
      made.server.maxConnections = MAX_CONNECTIONS;
      await listenOnSocket(made.server, path);
      made.server.on('error', (error) =>
        log.error({ crossing: name, err: error }, 'the listener of a crossing failed'),
      );
      upgrades = made;
    },
    async stop() {
      const closing = upgrades;
      upgrades = undefined;
      if (closing === undefined) return;
      const closed = new Promise<void>((resolve) => closing.server.close(() => resolve()));
      closing.server.closeAllConnections();
      closing.end();
      await closed;
    },
    readiness: () => (upgrades === undefined ? { ready: false, reason: 'not listening' } : { ready: true }),
  };
}
