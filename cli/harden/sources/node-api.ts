import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'undici';
import type { NodeApi } from '../../../hardening/collectors/node-api.ts';

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;

export interface OpenNodeApi extends NodeApi {
  close(): Promise<void>;
}

/** The running node as the collectors ask it, with the owner's token; undefined where its files cannot be read. */
export function openNodeApi(home: string, gateway: string): OpenNodeApi | undefined {
  const read = (...path: string[]): string | undefined => {
    try {
      return readFileSync(join(home, ...path), 'utf8');
    } catch {
      return undefined;
    }
  };
  const [ca, token] = [read('tls', 'ca.crt'), read('client', 'token')?.trim()];
  if (ca === undefined || token === undefined) return undefined;
  const agent = new Agent({ connect: { ca, timeout: CONNECT_TIMEOUT_MS } });
  return {
    async request({ method, path, headers, body, timeoutMs = TIMEOUT_MS, signal: outer }) {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(timeoutMs)]);
      const answer = await agent.request({
        ...{ origin: gateway, method, path, signal },
        headers: { authorization: `Bearer ${token}`, ...headers },
        body: body ?? null,
      });
      return {
        status: answer.statusCode,
        headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
        body: await readBounded(answer.body),
      };
    },
    close: () => agent.destroy(),
  };
}

async function readBounded(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`the node's answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
