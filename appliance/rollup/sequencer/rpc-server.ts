import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NectarError } from '../../../protocol/errors.ts';
import { createGuardedHttp } from '../../guarded-http.ts';
import type { Service } from '../../service.ts';

export interface RpcServerOptions {
  /** Loopback: this listener has neither TLS nor authentication. */
  readonly host: '127.0.0.1' | '::1';
  /** 0 chooses a free one. */
  readonly port: number;
  readonly maxBodyBytes: number;
  /** For a request, and for a connection that lies still; 30 s unless told otherwise. */
  readonly timeoutMs?: number;
}

/** Plain-HTTP JSON-RPC for a process without a gateway: the devnet's sequencer. */
export interface RpcServer extends Service {
  /** Valid once started. */
  url(): string;
}

const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 16 * 1024;
/** localhost or an address: a relay of the devnet passes on what containers sent to the address of their own network. */
const UNNAMED = /^(\d{1,3}(\.\d{1,3}){3}|localhost|\[[0-9a-fA-F:]{2,39}\])(:\d+)?$/;

export function createRpcServer(
  options: RpcServerOptions,
  deps: { readonly handle: (body: unknown, gone: AbortSignal) => Promise<unknown> },
): RpcServer {
  let server: Server | undefined;
  let address: AddressInfo | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== '/') return end(response, request.url === '/' ? 405 : 404);
    // A web page that had its name point here (DNS rebinding) sends that name; one that does not needs a CORS preflight.
    if (!UNNAMED.test(request.headers.host ?? '')) return end(response, 403);
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return end(response, 415);
    const text = await readBody(request, options.maxBodyBytes);
    if (text === undefined) return end(response, 413);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    end(response, 200, JSON.stringify(await deps.handle(parse(text), gone.signal)));
  }

  return {
    name: 'rpc-server',
    async start() {
      const bounds = {
        maxConnections: MAX_CONNECTIONS,
        maxHeaderBytes: MAX_HEADER_BYTES,
        timeoutMs: options.timeoutMs ?? REQUEST_TIMEOUT_MS,
      };
      const listener = createGuardedHttp(bounds, (request, response) => {
        answer(request, response).catch(() => end(response, 500));
      });
      await new Promise<void>((resolve, reject) => {
        listener.once('error', (cause) =>
          reject(new NectarError('ROLLUP_SEQUENCER_RPC_PORT', { host: options.host, port: options.port }, { cause })),
        );
        listener.listen(options.port, options.host, resolve);
      });
      server = listener;
      address = listener.address() as AddressInfo;
    },
    async stop() {
      const listener = server;
      server = undefined;
      if (listener === undefined) return;
      const closed = new Promise((resolve) => listener.close(resolve));
      listener.closeAllConnections();
      await closed;
    },
    readiness: () => (server === undefined ? { ready: false, reason: 'not listening' } : { ready: true }),
    url() {
      if (address === undefined)
        throw new NectarError('NODE_NOT_READY', { service: 'rpc-server', reason: 'not started' });
      return `http://${options.host === '::1' ? '[::1]' : options.host}:${address.port}`;
    },
  };
}

/** The body as text; undefined when it is longer than allowed, however it is sent. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The handler answers what is not JSON as JSON-RPC demands (-32700): it gets undefined, which no JSON text is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function end(response: ServerResponse, status: number, body?: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 413 && { connection: 'close' }) });
  response.end(body);
}
