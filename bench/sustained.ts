/**
 * ERC-20 transfers through a network of real processes: client, over HTTPS, to a node in four roles, which forwards to the sequencer;
 * its blocks go to L1 in batches, from which the node derives them again. First send to receipt at an easy rate, then a rate kept up.
 * `npm run bench -- sustained`. BENCH_RATE (949 a second), BENCH_MINUTES (10), BENCH_EASY_RATE (100), BENCH_EASY_SECONDS (20).
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { getCreateAddress, Interface, keccak256, Transaction, Wallet } from 'ethers';
import { signRecoverable } from 'tiny-secp256k1';
import type { Hex } from '../protocol/brand.ts';
import { hexToBytes } from '../protocol/rollup/bytes.ts';
import { TestTokenAbi, TestTokenInitCode } from '../test/contracts/generated/TestToken.ts';
import { until, Workplace } from '../test/e2e/workplace.ts';
import { round } from './figures.ts';
import { RpcClient } from './rpc-client.ts';
import { type Access, accessOf, cpuMsOf, type ServedNode, startNode } from './served-node.ts';
import { numberOf, type Seen, watchNode } from './watch-node.ts';

const RATE = Number(process.env.BENCH_RATE ?? 949);
const MINUTES = Number(process.env.BENCH_MINUTES ?? 10);
const EASY_RATE = Number(process.env.BENCH_EASY_RATE ?? 100);
const EASY_SECONDS = Number(process.env.BENCH_EASY_SECONDS ?? 20);
const ROLES = ['audit', 'store', 'rollup', 'gateway'];
/**
 * V8 sizes its heap by the memory of the machine, which in the role's container is its limit of 1 GiB (cli/provision/docker): there it
 * takes these. Without them it takes what 24 GiB allow.
 */
const HEAP_IN_CONTAINER = '--max-old-space-size=512 --max-semi-space-size=16';
const SENDERS = 200;
/** Fewer than an account may have in the sequencer's pool. */
const MAX_WAITING = 48;
/** Requests that wait for a connection: past that the client does not hold its rate. */
const MAX_BACKLOG = 2 * SENDERS;
const CONNECTIONS = 24;
const TICK_MS = 20;
/** Signed at a stretch: some 300 ms. */
const SIGNED_AT_ONCE = 1_000;
/** The pool may be full for a moment. */
const RETRY_MS = 250;
const MAX_RETRIES = 240;
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
  readonly client: RpcClient;
  readonly chainId: number;
  readonly senders: readonly Sender[];
  readonly transfer: (turn: number) => { readonly sender: Sender; readonly raw: Hex };
}

/** A token, and accounts that have some of it and ether. */
async function prepare(place: Workplace, client: RpcClient): Promise<Field> {
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
    const sending = send();
    // Thrown below: nothing ends the program before it has stopped the node.
    sending.catch(() => {});
    sent.push(sending);
  }
  await Promise.all(sent);
  return times.toSorted((a, b) => a - b);
}

interface Sustained extends Seen {
  readonly sent: number;
  readonly perSecond: number;
  readonly settleSeconds: number;
  /** Of all roles of the node, in milliseconds a transfer. */
  readonly nodeCpuMs: number;
  /** The same, of each process of the network. */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** Times that the pool had no room, and the transfer was sent again. */
  readonly refused: number;
}

interface Network {
  readonly node: ServedNode;
  readonly place: Workplace;
}

/** Of every process: the node's roles, the network's other side, and its L1. */
function cpuMsOfAll({ node, place }: Network): Record<string, number> {
  const { pid } = JSON.parse(readFileSync(place.path('devnet', 'run', 'node.json'), 'utf8')) as { pid: number };
  const l1 = Number(readFileSync(place.path('devnet', 'l1', 'anvil.pid'), 'utf8'));
  return { ...node.cpuMsByRole(), sequencer: cpuMsOf(pid), l1: cpuMsOf(l1), client: cpuMsOf(process.pid) };
}

/** Before the clock runs, since the client shares the cores with the node; in slices, since its event loop has other things to do. */
async function signAhead({ transfer }: Field, count: number): Promise<readonly Hex[]> {
  const raws: Hex[] = [];
  while (raws.length < count) {
    const slice = Math.min(SIGNED_AT_ONCE, count - raws.length);
    for (let i = 0; i < slice; i++) raws.push(transfer(raws.length).raw);
    await turn();
  }
  return raws;
}

/** Sends at the rate, or as fast as the pool takes them; resolves with how often it had no room. */
async function sendAll(client: RpcClient, raws: readonly Hex[]): Promise<number> {
  let refused = 0;
  const send = async (raw: Hex | undefined): Promise<void> => {
    for (let retries = 0; ; retries++) {
      try {
        await client.ask('eth_sendRawTransaction', raw);
        return;
      } catch (error) {
        const isFull = error instanceof Error && error.message.includes('pool is full');
        if (!isFull || retries >= MAX_RETRIES) throw error;
        refused += 1;
        await delay(RETRY_MS);
      }
    }
  };
  let failure: unknown;
  const sending: Promise<void>[] = [];
  const start = performance.now();
  for (let next = 0; next < raws.length && failure === undefined; ) {
    const due = Math.min(raws.length, Math.floor(((performance.now() - start) / 1000) * RATE));
    for (; next < due && client.backlog < MAX_BACKLOG; next++)
      sending.push(
        send(raws[next]).catch((error: unknown) => {
          failure ??= error;
        }),
      );
    await delay(TICK_MS);
  }
  await Promise.all(sending);
  if (failure !== undefined) throw failure;
  return refused;
}

async function measureSustained(field: Field, network: Network, access: Access): Promise<Sustained> {
  const { senders } = field;
  const { node } = network;
  const raws = await signAhead(field, Math.round(RATE * MINUTES * 60));
  // The gateway closes connections on which nothing was asked for half a minute.
  const client = await RpcClient.open(access, CONNECTIONS);
  try {
    const watched = watchNode(client, node);
    const before = cpuMsOfAll(network);
    const start = performance.now();
    const refused = await sendAll(client, raws);
    await until('all in blocks', async () => {
      for (const { wallet, nonce } of senders)
        if (Number(await client.ask<Hex>('eth_getTransactionCount', wallet.address, 'latest')) < nonce)
          return undefined;
      return true;
    });
    const seconds = (performance.now() - start) / 1000;
    const after = cpuMsOfAll(network);
    const cpuMs = Object.fromEntries(
      Object.entries(after).map(([name, ms]) => [name, round((ms - (before[name] ?? 0)) / raws.length)]),
    );
    const nodeCpuMs = round(ROLES.reduce((sum, role) => sum + (cpuMs[role] ?? 0), 0));
    const head = Number(await client.ask<Hex>('eth_blockNumber'));
    const seen = await watched.end();
    await until('all on L1', async () => (await numberOf(client, 'safe')) >= head || undefined);
    const settleSeconds = round((performance.now() - start) / 1000 - seconds);
    return { sent: raws.length, perSecond: raws.length / seconds, ...seen, settleSeconds, nodeCpuMs, cpuMs, refused };
  } finally {
    client.close();
  }
}

function heapOf(role: string): Record<string, string> {
  return role === 'rollup' ? { NODE_OPTIONS: HEAP_IN_CONTAINER } : {};
}

/** Runs both and prints a JSON line for each. */
export async function run(): Promise<void> {
  const place = new Workplace();
  const home = place.path('home');
  const node = await startNode(place, home, ROLES, heapOf);
  let client: RpcClient | undefined;
  try {
    client = await RpcClient.open(accessOf(home), CONNECTIONS);
    const field = await prepare(place, client);
    const { all: idleRssMiB, own: idleOwnMiB } = node.memoryMiB('rollup');
    const times = await measureLatency(field);
    const at = (share: number): number => Math.round(times[Math.floor((times.length - 1) * share)] ?? Number.NaN);
    const load = (): number => round(loadavg()[0] ?? 0);
    const latency = { name: 'send-to-receipt', median: at(0.5), p99: at(0.99), target: [300, 800], unit: 'ms' };
    process.stdout.write(`${JSON.stringify({ ...latency, perSecond: EASY_RATE, load: load() })}\n`);
    const { perSecond, ...more } = await measureSustained(field, { node, place }, accessOf(home));
    const line = {
      name: 'sustained',
      ours: round(perSecond),
      peer: RATE,
      peerName: 'the target',
      ratio: round(perSecond / RATE),
    };
    process.stdout.write(
      `${JSON.stringify({ ...line, unit: 'transfers/s', ...more, idleRssMiB, idleOwnMiB, load: load() })}\n`,
    );
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
