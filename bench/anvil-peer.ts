import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bytesToHex } from '../protocol/rollup/bytes.ts';
import { TRANSFERS_PER_BLOCK } from './chain.ts';

const ANVIL = fileURLToPath(new URL('../node_modules/.bin/anvil', import.meta.url));
const CALLS_PER_REQUEST = 200;
const START_MS = 60_000;

async function post(url: string, calls: readonly { method: string; params: readonly unknown[] }[]): Promise<unknown[]> {
  const body = JSON.stringify(calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call })));
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answers = (await answer.json()) as { result?: unknown; error?: { message: string } }[];
  const refused = answers.find(({ error }) => error !== undefined);
  if (refused !== undefined) throw new RangeError(`anvil: ${refused.error?.message}`);
  return answers.map(({ result }) => result);
}

async function untilListening(url: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    if (await post(url, [{ method: 'eth_blockNumber', params: [] }]).catch(() => undefined)) return;
    if (Date.now() > end || child.exitCode !== null) throw new Error('anvil does not answer');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Sends the transactions of a block, then has it mined; the two are told apart. */
export async function measureAnvil(
  genesisPath: string,
  raws: readonly Uint8Array[],
  warmBlocks: number,
): Promise<{ readonly mined: number; readonly sentAndMined: number }> {
  const port = 20_000 + (process.pid % 10_000);
  const url = `http://127.0.0.1:${port}`;
  const args = [
    '--init',
    genesisPath,
    '--no-mining',
    '--order',
    'fifo',
    '--hardfork',
    'cancun',
    '--gas-limit',
    '100000000',
  ];
  const child = spawn(ANVIL, [...args, '--port', String(port), '--silent'], { stdio: 'ignore' });
  try {
    await untilListening(url, child);
    let [sending, mining] = [0, 0];
    for (let at = 0; at < raws.length; at += TRANSFERS_PER_BLOCK) {
      const block = raws
        .slice(at, at + TRANSFERS_PER_BLOCK)
        .map((raw) => ({ method: 'eth_sendRawTransaction', params: [bytesToHex(raw)] }));
      const isWarm = at < warmBlocks * TRANSFERS_PER_BLOCK;
      const start = performance.now();
      for (let call = 0; call < block.length; call += CALLS_PER_REQUEST)
        await post(url, block.slice(call, call + CALLS_PER_REQUEST));
      const sent = performance.now();
      await post(url, [{ method: 'evm_mine', params: [] }]);
      if (!isWarm) [sending, mining] = [sending + sent - start, mining + performance.now() - sent];
      const [mined] = (await post(url, [{ method: 'eth_getBlockByNumber', params: ['latest', false] }])) as {
        transactions: unknown[];
      }[];
      if (mined?.transactions.length !== block.length)
        throw new RangeError(`anvil mined ${mined?.transactions.length} of ${block.length}`);
    }
    const count = raws.length - warmBlocks * TRANSFERS_PER_BLOCK;
    return { mined: (count * 1000) / mining, sentAndMined: (count * 1000) / (sending + mining) };
  } finally {
    child.kill('SIGTERM');
  }
}
