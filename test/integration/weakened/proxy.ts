import { createServer as createPlainServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer, request, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createGzip } from 'node:zlib';
import { TLS_BOUNDS } from '../../../appliance/gateway/https-server.ts';
import type { ProcessStack } from './process-stack.ts';

export interface ProxyWish {
  /** In place of the node's own bounds. */
  readonly tls?: ServerOptions;
  /** Without TLS. */
  readonly plain?: boolean;
  /** What it changes of requests and answers. */
  readonly ask?: (headers: Record<string, unknown>) => Record<string, unknown>;
  readonly answer?: (headers: Record<string, unknown>) => Record<string, unknown>;
  /** Compresses whatever it answers. */
  readonly gzip?: boolean;
  /** What it does with a body that passes. */
  readonly keep?: (chunk: Buffer) => void;
}

/**
 * Somebody's reverse proxy between clients and the node: on a port of its own, with the node's key and certificate, and, but for
 * what is weakened, with the node's own bounds.
 */
export async function putProxy(stack: ProcessStack, proxy: ProxyWish): Promise<void> {
  const handle = forward(stack.gateway, proxy);
  const [key, cert] = [stack.read('tls/server.key'), stack.read('tls/server.crt')];
  const server: Server =
    proxy.plain === true ? createPlainServer(handle) : createServer({ ...TLS_BOUNDS, key, cert, ...proxy.tls }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.onRestore(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  stack.standInFront((server.address() as AddressInfo).port);
}

function forward({ hostname, port }: URL, { ask, answer, keep, gzip = false }: ProxyWish): RequestListener {
  const changed = (headers: IncomingMessage['headers'], change: ProxyWish['ask']) =>
    (change?.({ ...headers }) ?? headers) as Record<string, string>;
  return (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request(
      { hostname, port, method, path: url, headers: changed(headers, ask), rejectUnauthorized: false },
      (reply) => {
        const { 'content-length': length, ...rest } = changed(reply.headers, answer);
        if (!gzip) {
          outgoing.writeHead(reply.statusCode ?? 502, {
            ...rest,
            ...(length !== undefined && { 'content-length': length }),
          });
          reply.pipe(outgoing);
          return;
        }
        outgoing.writeHead(reply.statusCode ?? 502, { ...rest, 'content-encoding': 'gzip' });
        reply.pipe(createGzip()).pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    if (keep !== undefined) incoming.on('data', keep);
    incoming.pipe(onward);
  };
}
