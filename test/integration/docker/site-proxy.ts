import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';

/** The way out of a site: a proxy, and behind it an L1 endpoint with a certificate of the site's own authority. */
export interface SiteProxy {
  readonly proxyUrl: string;
  readonly l1Url: string;
  /** What the proxy was asked for: `CONNECT host:port`, or `POST host:port` of plain HTTP. */
  readonly asked: string[];
  /** Where the connections came from that the L1 endpoint took. */
  readonly callers: string[];
  close(): void;
}

export interface SiteProxyOptions {
  /** The host's address on the container's network: everything here listens on it. */
  readonly address: string;
  /** Port of the devnet's L1 on 127.0.0.1. */
  readonly l1Port: number;
  readonly tls: { readonly key: string; readonly cert: string };
}

export async function openSiteProxy({ address, l1Port, tls }: SiteProxyOptions): Promise<SiteProxy> {
  const asked: string[] = [];
  const callers: string[] = [];
  const sockets = new Set<Socket>();
  const listen = async (server: Server): Promise<number> => {
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const at = server.address();
    return typeof at === 'object' && at !== null ? at.port : 0;
  };
  const pass = (incoming: IncomingMessage, to: { host: string; port: number | string; path: string }) => {
    const { method, headers } = incoming;
    const outgoing = request({ ...to, method, headers });
    incoming.pipe(outgoing);
    return outgoing;
  };

  const l1 = createHttpsServer(tls, (incoming, response) => {
    const outgoing = pass(incoming, { host: '127.0.0.1', port: l1Port, path: '/' });
    outgoing.on('response', (got) => got.pipe(response.writeHead(got.statusCode ?? 502, got.headers)));
    outgoing.on('error', () => response.destroy());
  });
  l1.on('connection', ({ remoteAddress }: Socket) => callers.push(String(remoteAddress)));

  const proxy = createServer((incoming, response) => {
    const { host, hostname, port, pathname } = new URL(incoming.url ?? '');
    asked.push(`${incoming.method} ${host}`);
    const outgoing = pass(incoming, { host: hostname, port, path: pathname });
    outgoing.on('response', (got) => got.pipe(response.writeHead(got.statusCode ?? 502, got.headers)));
    outgoing.on('error', () => response.destroy());
  });
  proxy.on('connect', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url}`);
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const upstream = connect(Number(port || 80), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  const l1Url = `https://${address}:${await listen(l1)}`;
  return {
    proxyUrl: `http://${address}:${await listen(proxy)}`,
    ...{ l1Url, asked, callers },
    close() {
      for (const server of [l1, proxy]) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
