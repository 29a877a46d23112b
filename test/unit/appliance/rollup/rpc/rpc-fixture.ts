import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createForwardedTransactions,
  type ForwardedTransactions,
} from '../../../../../appliance/rollup/rpc/pending-transactions.ts';
import { createRpc, type Rpc } from '../../../../../appliance/rollup/rpc/rpc.ts';
import type { RpcDeps } from '../../../../../appliance/rollup/rpc/rpc-deps.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import { parseTransaction } from '../../../../../protocol/rollup/transaction.ts';
import { input, rules, type TestChain } from '../execute/chain-fixture.ts';

/** A book of forwarded transactions that never gets old. */
export function emptyBook(): ForwardedTransactions {
  return createForwardedTransactions({ maxTransactions: 100, maxBytes: 1 << 20, maxAgeMs: 1 }, { now: () => 0 });
}

/** A node whose sequencer seals one block for each transaction that it is given. */
export function rpcOf(chain: TestChain, more: Partial<RpcDeps> = {}): Rpc {
  let seconds = Number(chain.executor.heads().unsafe.number);
  return createRpc({
    database: chain.database,
    evm: chain.evm,
    heads: () => chain.executor.heads(),
    onHeads: (listener) => chain.executor.onHeads(listener),
    rules,
    clientVersion: 'nectar-byon/test',
    log: createLogger({ level: 'silent' }),
    now: () => 0,
    randomBytes,
    pending: emptyBook(),
    async submit(raw) {
      const parsed = parseTransaction(raw, rules);
      assert.ok(typeof parsed === 'object');
      seconds += 1;
      const { dropped } = await chain.executor.build(input(seconds, [raw]));
      assert.deepEqual(dropped, []);
      return parsed.hash;
    },
    batchOf: async (number) => (number === 1n ? { batch: '0x0' } : undefined),
    ...more,
  });
}

export async function serve(rpc: Rpc): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await rpc.handle(JSON.parse(Buffer.concat(chunks).toString()));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Answer {
  readonly result?: never;
  readonly error?: { code: number; message: string; data?: unknown };
}

export async function ask(rpc: Rpc, method: string, ...params: unknown[]): Promise<Answer> {
  return (await rpc.handle({ jsonrpc: '2.0', id: 1, method, params })) as never;
}
