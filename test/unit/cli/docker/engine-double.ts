import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, type Engine } from '../../../../cli/provision/docker/engine.ts';

export interface EngineDouble {
  readonly engine: Engine;
  readonly requests: string[];
  close(): Promise<void>;
}

/** A server on a Unix socket that answers as a test wants an engine to answer. */
export async function engineDouble(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  signal = new AbortController().signal,
): Promise<EngineDouble> {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    engine: createEngine({ kind: 'unix', url: 'unix:///engine', socketPath }, signal),
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
