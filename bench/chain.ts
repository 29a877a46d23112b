/**
 * ERC-20 transfers replayed per second by the node's own road: batches decoded, senders recovered, blocks executed and their state
 * sealed by the block threads, committed by the executor with the durability of a node that follows. Against bare @ethereumjs/evm
 * calls of the same transfers, over a state without tries, in the same run.
 *
 *   NECTAR_BENCH_ACCOUNTS=100000 npm run bench -- chain     10,000 accounts hold the token when nothing is said
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEVM } from '@ethereumjs/evm';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { Account, type Address, createAddressFromString } from '@ethereumjs/util';
import { type BlockRunner, createBlockRunner } from '../appliance/rollup/execute/block-runner.ts';
import { type ChainDatabase, createChainDatabase } from '../appliance/rollup/execute/chain-database.ts';
import { createExecutor, type Executor } from '../appliance/rollup/execute/executor.ts';
import { loadMachine } from '../appliance/rollup/execute/machine-file.ts';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import { createSealer } from '../appliance/rollup/execute/sealer.ts';
import type { Hex } from '../protocol/brand.ts';
import { BATCH_LIMITS, type BatchBlock, encodeBatch } from '../protocol/rollup/batch.ts';
import { hexToBytes } from '../protocol/rollup/bytes.ts';
import { type ForkRules, NEW_NETWORK_FORK } from '../protocol/rollup/fork.ts';
import { createRules, type Rules } from '../protocol/rollup/rules.ts';
import { TestTokenInitCode } from '../test/contracts/generated/TestToken.ts';
import { loneBatch } from '../test/lone-batch.ts';
import { floorApart, SIGNATURE_BYTES } from './batch-floor.ts';
import {
  AMOUNTS,
  BALANCE,
  blockOf,
  CHAIN_ID,
  createHolders,
  createTransfers,
  FEE_RECIPIENT,
  type Holders,
  ORIGIN,
  SUPPLY,
  signTransfers,
  type Transfer,
  token,
  tokenGenesis,
} from './token-chain.ts';

const ACCOUNTS = 10_000;
const BLOCKS = 24;
const WARM_BLOCKS = 4;
const BLOCKS_PER_BATCH = 3;
export const TRANSFERS_PER_BLOCK = 400;
const CACHE_BYTES = 64 << 20;

export interface Chain {
  readonly database: ChainDatabase;
  readonly executor: Executor;
  readonly runner: BlockRunner;
}

export async function openChain(
  path: string,
  rules: Rules,
  { holders, fork = NEW_NETWORK_FORK }: { readonly holders: Holders; readonly fork?: ForkRules },
): Promise<Chain> {
  const databaseKey = randomBytes(32);
  const sealer = createSealer(databaseKey, randomBytes);
  const options = { path, databaseKey, cacheBytes: CACHE_BYTES };
  const database = createChainDatabase({ ...options, durable: false }, { sealer, rules });
  const machineRules = { chainId: CHAIN_ID, ...fork };
  const module = loadMachine();
  const runner = createBlockRunner({ module, machineRules, rules, database: options });
  const executor = createExecutor({ database, genesis: tokenGenesis(holders, rules), rules, runner });
  await executor.open();
  return { database, executor, runner };
}

/** What derivation does with the batches of L1: derives each, and recovers the senders of a block while the one before it runs. */
export async function importBatches(
  { database, executor, runner }: Chain,
  batches: readonly Uint8Array[],
): Promise<void> {
  for (const batch of batches) {
    const { hash, timestamp } = executor.heads().safe;
    const header = await database.get(hash);
    if (header === undefined) throw new RangeError('the head has no header');
    const { place, preimages } = await loneBatch(batch, { hash, header, timestamp }, ORIGIN);
    const { blocks } = await runner.deriveInputs(place, preimages);
    if (blocks.length === 0) throw new RangeError('the batch holds no block');
    for (const [index, { input }] of blocks.entries()) {
      runner.expect(input.transactions);
      runner.expect(blocks[index + 1]?.input.transactions ?? []);
      const { dropped } = await executor.appendSafe(input);
      if (dropped.length > 0) throw new RangeError(`${dropped.length} transfers were dropped: ${dropped[0]?.obstacle}`);
    }
  }
}

/** Bare EVM calls: no transactions, signatures, tries or disk. */
async function measureBare(rules: Rules, transfers: readonly Transfer[]): Promise<number> {
  const stateManager = new SimpleStateManager({ common: rules });
  const evm = await createEVM({ common: rules, stateManager });
  const owner = createAddressFromString(FEE_RECIPIENT);
  await stateManager.putAccount(owner, new Account(0n, 10n ** 24n));
  const creation = hexToBytes(`${TestTokenInitCode}${token.encodeDeploy([SUPPLY]).slice(2)}`);
  const { createdAddress } = await evm.runCall({ caller: owner, data: creation, gasLimit: 3_000_000n });
  if (createdAddress === undefined) throw new RangeError('the token was not deployed');
  const dataOf = (to: Hex, amount: bigint): Uint8Array =>
    hexToBytes(token.encodeFunctionData('transfer', [to, amount]) as Hex);
  const call = async (from: Address, data: Uint8Array): Promise<void> => {
    const { execResult } = await evm.runCall({ caller: from, to: createdAddress, data, gasLimit: 100_000n });
    if (execResult.exceptionError !== undefined) throw new RangeError('a bare transfer failed');
    await evm.journal.cleanup();
  };
  for (const from of new Set(transfers.map(({ from }) => from))) await call(owner, dataOf(from, BALANCE));
  const calls = transfers.map(({ from, to, amount }) => ({
    from: createAddressFromString(from),
    data: dataOf(to, amount),
  }));
  const before = process.cpuUsage();
  for (const { from, data } of calls) await call(from, data);
  const { user, system } = process.cpuUsage(before);
  return transfers.length / ((user + system) / 1e6);
}

export interface Figures {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly bytesPerTransfer: number;
}

export async function measureImport(chain: Chain, batches: readonly Uint8Array[], transfers: number): Promise<Figures> {
  const cpuBefore = process.cpuUsage();
  const start = process.hrtime.bigint();
  await importBatches(chain, batches);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpuBefore);
  const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
  return {
    perSecond: transfers / seconds,
    perCpuSecond: transfers / ((user + system) / 1e6),
    bytesPerTransfer: bytes / transfers,
  };
}

/** Blocks of TRANSFERS_PER_BLOCK from the one after `first` on, as batches. */
export function encodeBatches(first: number, raws: readonly Uint8Array[]): Uint8Array[] {
  const blocks: BatchBlock[] = [];
  for (let at = 0; at < raws.length; at += TRANSFERS_PER_BLOCK)
    blocks.push(blockOf(first + blocks.length, raws.slice(at, at + TRANSFERS_PER_BLOCK)));
  const batches: Uint8Array[] = [];
  for (let at = 0; at < blocks.length; at += BLOCKS_PER_BATCH)
    batches.push(encodeBatch(blocks.slice(at, at + BLOCKS_PER_BATCH)));
  if (batches.some(({ length }) => length > BATCH_LIMITS.maxBytes)) throw new RangeError('a batch is too large');
  return batches;
}

/** Replays over a state of so many accounts. */
async function replay(accounts: number, rules: Rules): Promise<Figures & { readonly transfers: readonly Transfer[] }> {
  const path = await mkdtemp(join(tmpdir(), 'nectar-bench-chain-'));
  const holders = createHolders(accounts);
  const chain = await openChain(path, rules, { holders });
  try {
    const transfers = createTransfers(holders, (WARM_BLOCKS + BLOCKS) * TRANSFERS_PER_BLOCK);
    const raws = signTransfers(holders, transfers);
    const warm = WARM_BLOCKS * TRANSFERS_PER_BLOCK;
    await importBatches(chain, encodeBatches(0, raws.slice(0, warm)));
    const figures = await measureImport(chain, encodeBatches(WARM_BLOCKS, raws.slice(warm)), raws.length - warm);
    return { ...figures, transfers: transfers.slice(warm) };
  } finally {
    await chain.executor.close();
    await rm(path, { recursive: true, force: true });
  }
}

/** Runs both and prints one JSON line. */
export async function run(): Promise<void> {
  const accounts = Number(process.env.NECTAR_BENCH_ACCOUNTS ?? ACCOUNTS);
  const rules = createRules(CHAIN_ID, nativeCrypto, NEW_NETWORK_FORK);
  const { perSecond, perCpuSecond, bytesPerTransfer, transfers } = await replay(accounts, rules);
  const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
  const peer = await measureBare(rules, transfers);
  const line = {
    name: 'chain',
    ours: Math.round(perCpuSecond),
    peer: Math.round(peer),
    peerName: '@ethereumjs/evm bare calls without a trie',
    ratio: Number((perCpuSecond / peer).toFixed(3)),
    unit: 'ERC-20 transfers per CPU second of all threads',
    perSecond: Math.round(perSecond),
    accounts,
    cpuMicrosPerTransfer: Math.round(1e6 / perCpuSecond),
    l1BytesPerTransfer: Number(bytesPerTransfer.toFixed(1)),
    l1BytesApart: Number((bytesPerTransfer - SIGNATURE_BYTES).toFixed(1)),
    l1FloorApart: Number(floorApart(transfers, TRANSFERS_PER_BLOCK * BLOCKS_PER_BATCH, AMOUNTS).toFixed(1)),
    rssMiB,
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
