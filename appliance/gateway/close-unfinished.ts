import type { GatewayServer } from './gateway-server.ts';

/**
 * An answer sent before the body was read (refused, too large, disk full): closing at once would reset the connection
 * and take the answer with it, so what still comes is thrown away for a moment, and no longer.
 */
export function closeUnread(server: GatewayServer, lingerMs: number): void {
  server.addHook('onSend', (request, reply, _payload, done) => {
    if (!request.raw.complete) reply.removeHeader('connection');
    done();
  });
  server.addHook('onResponse', (request, _reply, done) => {
    done();
    const { raw } = request;
    if (raw.complete || raw.socket.destroyed) return;
    const timer = setTimeout(() => raw.socket.destroy(), lingerMs).unref();
    const clear = () => clearTimeout(timer);
    raw.once('end', clear).once('close', clear);
    raw.resume();
  });
}

/** An answer in one piece that the client does not take would hold its connection for good; downloads watch themselves. */
export function closeUntaken(server: GatewayServer, stallMs: number): void {
  server.addHook('onSend', (_request, { raw }, _payload, done) => {
    done();
    // Gone already, it will not say so a second time.
    if (raw.destroyed) return;
    const timer = setTimeout(() => raw.destroy(), stallMs).unref();
    raw.once('close', () => clearTimeout(timer));
  });
}
