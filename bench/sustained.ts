/**
 * ERC-20 transfers through a network of real processes: client, over HTTPS, to a node in four roles, which forwards to the sequencer;
 * its blocks go to L1 in batches, from which the node derives them again. First send to receipt at an easy rate, then a rate kept up.
 * `npm run bench -- sustained`. BENCH_RATE (949 a second), BENCH_MINUTES (10), BENCH_EASY_RATE (100), BENCH_EASY_SECONDS (20).
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { getCreateAddress, Interface, keccak256, Transaction, Wallet } from 'ethers';
import { signRecoverable } from 'tiny-secp256k1';
import type { Hex } from '../protocol/brand.ts';
import { hexToBytes } from '../protocol/rollup/bytes.ts';
import { TestTokenAbi, TestTokenInitCode } from '../test/contracts/generated/TestToken.ts';
import { until, Workplace } from '../test/e2e/workplace.ts';
import { round } from './figures.ts';
import { KeptConnection } from './kept-connection.ts';
import { type Access, accessOf, type ServedNode, startNode } from './served-node.ts';

const RATE = Number(process.env.BENCH_RATE ?? 949);
const MINUTES = Number(process.env.BENCH_MINUTES ?? 10);
const EASY_RATE = Number(process.env.BENCH_EASY_RATE ?? 100);
const EASY_SECONDS = Number(process.env.BENCH_EASY_SECONDS ?? 20);
const ROLES = ['audit', 'store', 'rollup', 'gateway'];
const SENDERS = 200;
/** Fewer than an account may have in the sequencer's pool. */
const MAX_WAITING = 48;
const CONNECTIONS = 24;
const TICK_MS = 20;
const POOL_RETRY_MS = 1_000;
const ETHER = 10n ** 18n;
const token = new Interface(TestTokenAbi as never);

interface Sender {
  readonly wallet: Wallet;
  readonly key: Uint8Array;
  nonce: number;
}

interface Call {
  readonly to: Hex | null;
  readonly data: string;
  readonly value?: bigint;
  readonly gasLimit?: number;
}

/** JSON-RPC over kept connections, each with one request at a time. */
class Client {
  readonly #connections: KeptConnection[];
  readonly #idle: KeptConnection[];
  readonly #waiting: ((connection: KeptConnection) => void)[] = [];

  private constructor(connections: readonly KeptConnection[]) {
    this.#connections = [...connections];
    this.#idle = [...connections];
  }

  static async open(access: Access): Promise<Client> {
    return new Client(await Promise.all(Array.from({ length: CONNECTIONS }, () => KeptConnection.open(access))));
  }

  /** Requests that wait for a connection. */
  get backlog(): number {
    return this.#waiting.length;
  }

  async ask<T>(method: string, ...params: unknown[]): Promise<T> {
    const connection =
      this.#idle.pop() ?? (await new Promise<KeptConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      const answer = await connection.send('POST', '/rpc', body, { type: 'application/json' });
      const { result, error } = JSON.parse(answer.body) as { result: T; error?: { message: string } };
      if (error !== undefined || answer.status !== 200) throw new Error(`${method}: ${answer.body.slice(0, 300)}`);
      return result;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(connection);
      else next(connection);
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

function sign(sender: Sender, chainId: number, { to, data, value = 0n, gasLimit = 100_000 }: Call): Hex {
  const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n };
  const tx = Transaction.from({ type: 2, chainId, nonce: sender.nonce++, to, data, value, gasLimit, ...fees });
  const { signature, recoveryId } = signRecoverable(hexToBytes(tx.unsignedHash as Hex), sender.key);
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map(
    (part) => `0x${Buffer.from(part).toString('hex')}`,
  );
  tx.signature = { r: r ?? '0x', s: s ?? '0x', yParity: recoveryId === 0 ? 0 : 1 };
  return tx.serialized as Hex;
}

function createSender(key: string): Sender {
  return { wallet: new Wallet(key), key: hexToBytes(key as Hex), nonce: 0 };
}

interface Field {
  readonly client: Client;
  readonly chainId: number;
  readonly senders: readonly Sender[];
  readonly transfer: (turn: number) => { readonly sender: Sender; readonly raw: Hex };
}

/** A token, and accounts that have some of it and ether. */
async function prepare(place: Workplace, client: Client): Promise<Field> {
  const rich = createSender(`0x${'7b'.repeat(32)}`);
  await place.json(['devnet', 'fund', rich.wallet.address, '--ether', '90']);
  await until(
    'the funds',
    async () => BigInt(await client.ask<Hex>('eth_getBalance', rich.wallet.address, 'latest')) > 0n || undefined,
  );
  const chainId = Number(await client.ask<Hex>('eth_chainId'));
  const send = (call: Call): Promise<unknown> =>
    client.ask('eth_sendRawTransactionSync', sign(rich, chainId, call), '0x7530');
  const creation = `${TestTokenInitCode}${token.encodeDeploy([10n ** 30n]).slice(2)}`;
  await send({ to: null, data: creation, gasLimit: 3_000_000 });
  const address = getCreateAddress({ from: rich.wallet.address, nonce: 0 }).toLowerCase() as Hex;
  const senders = Array.from({ length: SENDERS }, (_, i) =>
    createSender(keccak256(`0x${(i + 1).toString(16).padStart(8, '0')}`)),
  );
  for (let at = 0; at < SENDERS; at += MAX_WAITING / 2) {
    const some = senders.slice(at, at + MAX_WAITING / 2);
    await Promise.all(
      some.flatMap(({ wallet }) => [
        send({ to: wallet.address.toLowerCase() as Hex, data: '0x', value: (ETHER * 2n) / 5n }),
        send({ to: address, data: token.encodeFunctionData('transfer', [wallet.address, 10n ** 24n]) }),
      ]),
    );
  }
  return {
    client,
    chainId,
    senders,
    transfer(turn) {
      const sender = senders[turn % SENDERS] as Sender;
      const to = senders[(turn * 7 + 3) % SENDERS]?.wallet.address;
      return {
        sender,
        raw: sign(sender, chainId, { to: address, data: token.encodeFunctionData('transfer', [to, BigInt(turn + 1)]) }),
      };
    },
  };
}

/** From the moment at which a transaction should be sent, so that a client that falls behind does not hide it. */
async function measureLatency({ client, transfer }: Field): Promise<readonly number[]> {
  const times: number[] = [];
  const start = performance.now();
  const sent: Promise<void>[] = [];
  for (let i = 0; i < EASY_RATE * EASY_SECONDS; i++) {
    const due = start + (i * 1000) / EASY_RATE;
    const { raw } = transfer(i);
    const ahead = due - performance.now();
    if (ahead > 0) await delay(ahead);
    const send = async (): Promise<void> => {
      await client.ask('eth_sendRawTransactionSync', raw, '0x7530');
      times.push(performance.now() - due);
    };
    sent.push(send());
  }
  await Promise.all(sent);
  return times.toSorted((a, b) => a - b);
}

/** A full pool is what a rate that the chain cannot keep up looks like: the client waits, and the figure falls. */
async function offer(client: Client, raw: Hex, counted: { refused: number }): Promise<void> {
  for (;;) {
    try {
      await client.ask('eth_sendRawTransaction', raw);
      return;
    } catch (error) {
      if (!/pool is full/.test((error as Error).message)) throw error;
      counted.refused++;
      await delay(POOL_RETRY_MS);
    }
  }
}

interface Sustained {
  readonly sent: number;
  /** Offers that met a full pool, and came again. */
  readonly refused: number;
  readonly perSecond: number;
  /** Blocks that L1 did not have yet: at most, and at the end of sending. */
  readonly maxLag: number;
  readonly lastLag: number;
  readonly settleSeconds: number;
  readonly maxRssMiB: number;
}

async function lagOf(client: Client): Promise<number> {
  const numberOf = async (tag: string): Promise<number> =>
    Number((await client.ask<{ number: Hex }>('eth_getBlockByNumber', tag, false)).number);
  const [safe, latest] = [await numberOf('safe'), await numberOf('latest')];
  return latest - safe;
}

async function measureSustained({ senders, transfer }: Field, node: ServedNode, access: Access): Promise<Sustained> {
  const total = Math.round(RATE * MINUTES * 60);
  const raws = Array.from({ length: total }, (_, i) => transfer(i).raw);
  // Signing takes a minute, in which the node ends connections that are idle.
  const client = await Client.open(access);
  try {
    return await keepUp(client, senders, raws, node);
  } finally {
    client.close();
  }
}

async function keepUp(
  client: Client,
  senders: readonly Sender[],
  raws: readonly Hex[],
  node: ServedNode,
): Promise<Sustained> {
  const total = raws.length;
  const [watched, over] = [{ refused: 0, maxLag: 0, lastLag: 0, maxRssMiB: 0 }, { isOver: false }];
  const watch = async (): Promise<void> => {
    while (!over.isOver) {
      watched.lastLag = await lagOf(client);
      watched.maxLag = Math.max(watched.maxLag, watched.lastLag);
      watched.maxRssMiB = Math.max(watched.maxRssMiB, node.rssMiB('rollup'));
      await delay(1_000);
    }
  };
  const watching = watch();
  watching.catch(() => undefined);
  const start = performance.now();
  let next = 0;
  const sending: Promise<unknown>[] = [];
  while (next < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * RATE));
    for (; next < due && client.backlog < SENDERS * 2; next++) {
      const sent = offer(client, raws[next] as Hex, watched);
      sent.catch(() => undefined);
      sending.push(sent);
    }
    await delay(TICK_MS);
  }
  await Promise.all(sending);
  const last = senders.map(({ wallet, nonce }) => ({ address: wallet.address, nonce }));
  await until('all in blocks', async () => {
    for (const { address, nonce } of last)
      if (Number(await client.ask<Hex>('eth_getTransactionCount', address, 'latest')) < nonce) return undefined;
    return true;
  });
  const seconds = (performance.now() - start) / 1000;
  const head = Number(await client.ask<Hex>('eth_blockNumber'));
  over.isOver = true;
  await watching;
  await until('all on L1', async () =>
    Number((await client.ask<{ number: Hex }>('eth_getBlockByNumber', 'safe', false)).number) >= head
      ? true
      : undefined,
  );
  const settleSeconds = (performance.now() - start) / 1000 - seconds;
  return { sent: total, perSecond: total / seconds, ...watched, settleSeconds: round(settleSeconds) };
}

/** Runs both and prints a JSON line for each. */
export async function run(): Promise<void> {
  const place = new Workplace();
  const home = place.path('home');
  const node = await startNode(place, home, ROLES);
  let client: Client | undefined;
  try {
    const access = accessOf(home);
    client = await Client.open(access);
    const field = await prepare(place, client);
    const idleRssMiB = node.rssMiB('rollup');
    const times = await measureLatency(field);
    const at = (share: number): number => Math.round(times[Math.floor((times.length - 1) * share)] ?? Number.NaN);
    const load = (): number => round(loadavg()[0] ?? 0);
    const latency = { name: 'send-to-receipt', median: at(0.5), p99: at(0.99), target: [300, 800], unit: 'ms' };
    process.stdout.write(`${JSON.stringify({ ...latency, perSecond: EASY_RATE, load: load() })}\n`);
    const { perSecond, ...more } = await measureSustained(field, node, access);
    const line = {
      name: 'sustained',
      ours: round(perSecond),
      peer: RATE,
      peerName: 'the target',
      ratio: round(perSecond / RATE),
    };
    process.stdout.write(`${JSON.stringify({ ...line, unit: 'transfers/s', ...more, idleRssMiB, load: load() })}\n`);
  } catch (error) {
    process.stderr.write(readFileSync(place.path('bench-logs', 'rollup.log'), 'utf8').slice(-2_000));
    throw error;
  } finally {
    client?.close();
    await node.stop();
    await place.run(['destroy', '--yes', '--home', home]);
    await place.run(['devnet', 'down']);
    place.remove();
  }
}
