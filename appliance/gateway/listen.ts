import { once } from 'node:events';
import type { Server } from 'node:net';
import { NectarError } from '../../protocol/errors.ts';

/** Resolves once `server` listens. GATEWAY_PORT_IN_USE, GATEWAY_LISTEN_REFUSED. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'EADDRINUSE') throw new NectarError('GATEWAY_PORT_IN_USE', { host, port }, { cause: error });
    throw new NectarError('GATEWAY_LISTEN_REFUSED', { host, port, reason: code }, { cause: error });
  }
}
