import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How many ports from the preferred one up are tried before the system chooses. */
const TRIED = 64;
const LOOKS = 5;
const LOOK_MS = 60;

/** True when nobody listens on the port. A moment later somebody may: whoever then listens gets the clear error. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * True when somebody listens on the port; false for port 0 and where this machine cannot listen at all, which is another error. Another
 * command that looks at the same moment holds the port for as long as its look takes: it is looked at again.
 */
export async function isPortTaken(port: number, host: string): Promise<boolean> {
  for (let look = 1; await isHeld(port, host); look += 1) {
    if (look === LOOKS) return true;
    await sleep(LOOK_MS);
  }
  return false;
}

function isHeld(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/** The preferred port, or the next free one that is not `taken`. */
export async function findFreePort(
  preferred: number,
  options: { host?: string; taken?: readonly number[] } = {},
): Promise<number> {
  const { host, taken = [] } = options;
  for (let port = preferred; port < preferred + TRIED && port <= 65_535; port += 1) {
    if (!taken.includes(port) && (await isPortFree(port, host))) return port;
  }
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: host ?? '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
