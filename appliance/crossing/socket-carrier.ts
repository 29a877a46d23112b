import type { Logger } from '../telemetry/index.ts';
import type { Carrier } from './carrier.ts';
import { createConnection } from './connection.ts';
import { createCrossingServer } from './server.ts';
import { socketPath } from './socket.ts';
import { socketDialer } from './socket-dialer.ts';
import { CROSSINGS, type CrossingName } from './table.ts';

/** Crossings over Unix sockets, one in a folder of its own each: the mount of the folder is the permission. */
export function createSocketCarrier(folder: string, { log }: { readonly log: Logger }): Carrier {
  return {
    connect: (crossing) =>
      createConnection({ service: CROSSINGS[crossing].server, dialer: socketDialer(socketPath(folder, crossing)) }),
    serve: (crossings) =>
      Object.entries(crossings).map(([name, routes]) =>
        createCrossingServer({ name, path: socketPath(folder, name as CrossingName) }, { routes, log }),
      ),
    credentials: [],
  };
}
