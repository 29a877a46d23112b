import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface GateStop {
  readonly method: string;
  /** `unasked`: L1 never gets the request; `unanswered`: L1 did what it asks, and says so to nobody; `answered`: it is the last answer. */
  readonly when: 'unasked' | 'unanswered' | 'answered';
}

/** L1's JSON-RPC with a gate before it, which falls at one request and lets nothing more through. */
export interface L1Gate {
  readonly url: string;
  /** Resolves with L1's answer to the request at which it fell, once it has fallen; undefined where L1 was not asked. */
  fallAt(stop: GateStop): Promise<unknown>;
  open(): void;
  close(): Promise<void>;
}

export async function createL1Gate(l1Url: string): Promise<L1Gate> {
  let stop: GateStop | undefined;
  let isShut = false;
  let fell: (result: unknown) => void = () => undefined;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    // Whoever waits here is killed soon.
    if (isShut) return;
    const met = stop?.method === (JSON.parse(body) as { method: string }).method ? stop.when : undefined;
    isShut ||= met !== undefined;
    if (met === 'unasked') return fell(undefined);
    const answer = await fetch(l1Url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const text = await answer.text();
    const { result } = JSON.parse(text) as { result?: unknown };
    if (met === 'unanswered') return fell(result);
    response.setHeader('content-type', 'application/json');
    response.end(text, () => met && fell(result));
  }

  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    fallAt(at) {
      stop = at;
      return new Promise((resolve) => {
        fell = resolve;
      });
    },
    open() {
      stop = undefined;
      isShut = false;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
