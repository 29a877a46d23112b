import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hexlify, Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import type { DiskCrash } from './crash-disk.ts';
import type { FollowerSpec } from './follower-child.ts';
import {
  createTestNetwork,
  DATABASE_KEY,
  ETHER,
  eventually,
  freePort,
  type RunningNode,
  type SequencerNode,
  type TestNetwork,
} from './test-network.ts';

const WINDOW_HOURS = 1;
const HOUR_SECONDS = 3_600;
const alice = Wallet.createRandom();
const who = alice.address.toLowerCase() as Hex;
let network: TestNetwork;
let sequencer: SequencerNode;
let child: ChildProcess | undefined;
let rpcPort: number;
let nonce = 0;

before(async () => {
  network = await createTestNetwork({ rich: [who] });
  sequencer = await network.startSequencer({ validator: true });
  rpcPort = await freePort();
});

after(async () => {
  child?.kill('SIGKILL');
  await network?.stop();
});

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

const ask = async ({ rollup }: RunningNode, method: string, ...params: unknown[]): Promise<Answer> =>
  (await rollup.rpc({ jsonrpc: '2.0', id: 1, method, params })) as Answer;

async function passTime(seconds: number): Promise<void> {
  await network.l1Send('evm_increaseTime', [seconds]);
  await network.l1Send('evm_mine', []);
}

/** A block of L2 in which the account has another balance than before. */
async function transfer(): Promise<bigint> {
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gasLimit: 21_000 };
  const tx = {
    type: 2,
    chainId: 6328270n,
    nonce: nonce++,
    to: hexlify(new Uint8Array(20).fill(nonce)),
    value: ETHER,
    ...fees,
  };
  const { result: hash } = await ask(sequencer, 'eth_sendRawTransaction', await alice.signTransaction(tx));
  const receipt = await eventually('the receipt', async () => {
    const { result } = await ask(sequencer, 'eth_getTransactionReceipt', hash);
    return (result as { blockNumber: Hex } | null) ?? undefined;
  });
  return BigInt(receipt.blockNumber);
}

const numberOf = (number: bigint): Hex => `0x${number.toString(16)}`;

/**
 * A block, an hour, old blocks and a confirmed assertion that holds them, another hour, a final block. So the old blocks are just behind
 * the window: one run removes the hour before them.
 */
async function growOld(): Promise<bigint> {
  let last = await transfer();
  await passTime(HOUR_SECONDS);
  for (let i = 0; i < 4; i += 1) last = await transfer();
  await eventually(
    'an assertion of the old blocks',
    async () => {
      await passTime(20);
      return (sequencer.rollup.assertions().confirmedBlock ?? 0) > last;
    },
    90_000,
  );
  await passTime(HOUR_SECONDS + 300);
  const next = await transfer();
  await eventually('the new block to be final', () => sequencer.rollup.heads().finalized.number >= next);
  return last;
}

async function start(name: string, more: Pick<FollowerSpec, 'crash' | 'snapshotPath'>): Promise<ChildProcess> {
  const spec: FollowerSpec = {
    descriptor: network.descriptor,
    databasePath: join(network.folder, name),
    databaseKey: DATABASE_KEY.toString('hex'),
    rpcPort,
    stateHistoryHours: WINDOW_HOURS,
    ...more,
  };
  const path = join(network.folder, 'follower.json');
  await writeFile(path, JSON.stringify(spec), { mode: 0o600 });
  const program = fileURLToPath(new URL('follower-child.ts', import.meta.url));
  const started = spawn(process.execPath, [program, path], { stdio: ['ignore', 'ignore', 'inherit'] });
  child = started;
  return started;
}

/** Follows until its disk is about to have, or has, that write, and is dead then. */
async function die(name: string, crash: DiskCrash, more: Pick<FollowerSpec, 'snapshotPath'> = {}): Promise<void> {
  const [, signal] = await once(await start(name, { crash, ...more }), 'close');
  assert.equal(signal, 'SIGKILL', JSON.stringify(crash));
}

async function take({ rollup }: RunningNode): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of rollup.snapshot()) parts.push(part);
  return Buffer.concat(parts);
}

const stateFromOf = async (node: RunningNode): Promise<bigint> =>
  BigInt(((await ask(node, 'nectar_syncStatus')).result as { stateFrom: Hex }).stateFrom);

/** All that a client may ask of a block's state is that of the sequencer, which keeps all of it. */
async function assertStateFrom(node: RunningNode, floor: bigint): Promise<void> {
  const head = node.rollup.heads().safe.number;
  for (let number = floor; number <= head; number += 1n) {
    for (const [method, ...params] of [
      ['eth_getBalance', who],
      ['eth_getProof', who, []],
      ['eth_call', { to: who }],
    ] as const) {
      const at = numberOf(number);
      assert.deepEqual(await ask(node, method, ...params, at), await ask(sequencer, method, ...params, at));
    }
  }
  const { error } = await ask(node, 'eth_getBalance', who, numberOf(floor - 1n));
  assert.equal(
    error?.message,
    `state of block ${floor - 1n} is not available: this node has it from block ${floor} on`,
  );
  assert.deepEqual(error?.data, { stateFrom: numberOf(floor) });
  const block = await ask(node, 'eth_getBlockByNumber', numberOf(1n), true);
  assert.deepEqual(block, await ask(sequencer, 'eth_getBlockByNumber', numberOf(1n), true));
}

/** While a slow machine lets L1's hours pass, another run may raise the floor: then what was seen is seen again. */
async function assertPruned(node: RunningNode): Promise<bigint> {
  for (;;) {
    const floor = await stateFromOf(node);
    const fault = await assertStateFrom(node, floor).catch((error: unknown) => error);
    if ((await stateFromOf(node)) !== floor) continue;
    if (fault !== undefined) throw fault;
    return floor;
  }
}

test('a node killed while it removes old state has all newer state, finishes after the start, and begins others by a snapshot', async () => {
  const old = await growOld();
  // It follows, learns what is confirmed, and looks for old state at its next start.
  const first = await network.startFollower('pruned', { stateHistoryHours: 0 });
  const confirmed = (): boolean => (first.rollup.assertions().confirmedBlock ?? 0) > old;
  await eventually('it to know the assertion', confirmed);
  await eventually('it to have the new block final', () => first.rollup.heads().finalized.number > old);
  assert.equal(await stateFromOf(first), 0n);
  await first.stop();

  await die('pruned', { write: 'moved', when: 'before', nth: 1 });
  await die('pruned', { write: 'moved', when: 'after', nth: 1 });
  await die('pruned', { write: 'dropped', when: 'after', nth: 1 });

  const node = await network.startFollower('pruned', { stateHistoryHours: WINDOW_HOURS });
  const floor = await assertPruned(node);
  assert.ok(floor > 1n, `state from ${floor}`);
  const snapshot = await eventually('a snapshot', () => take(node).catch(() => undefined));
  await node.stop();
  const again = await network.startFollower('pruned', { stateHistoryHours: WINDOW_HOURS });
  assert.ok((await stateFromOf(again)) >= floor, 'what is removed stays removed');
  await again.stop();

  const snapshotPath = join(network.folder, 'pruned.snapshot');
  await writeFile(snapshotPath, snapshot);
  for (const nth of [1, 2]) await die('newcomer', { write: 'state', when: 'after', nth }, { snapshotPath });
  const newcomer = await network.startFollower('newcomer', {}, { snapshotPath });
  const begun = newcomer.rollup.heads().safe.number;
  assert.ok(begun >= floor);
  const at = numberOf(begun);
  assert.deepEqual(await ask(newcomer, 'eth_getBalance', who, at), await ask(sequencer, 'eth_getBalance', who, at));
  await newcomer.stop();
});
