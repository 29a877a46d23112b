/**
 * What a transfer costs more where more accounts are: blocks of ERC-20 transfers executed and written one after the other in one thread,
 * with the senders given, nearly each transfer to an account that nothing touched before. Counts what is read of the database, since
 * counts say the same on a busy machine. `npm run bench -- growth`. BENCH_GROWTH_ACCOUNTS (10000,100000,1000000), BENCH_GROWTH_BLOCKS (24).
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChainDatabase, createChainDatabase } from '../appliance/rollup/execute/chain-database.ts';
import { createDatabaseKeys } from '../appliance/rollup/execute/database-keys.ts';
import { loadMachine } from '../appliance/rollup/execute/machine-file.ts';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import { packPreimages } from '../appliance/rollup/execute/packed-preimages.ts';
import { shareCacheBytes } from '../appliance/rollup/execute/preimage-cache.ts';
import { createSealer } from '../appliance/rollup/execute/sealer.ts';
import { openSharedPreimages } from '../appliance/rollup/execute/shared-preimages.ts';
import { encodeBlockInput } from '../machine/host/blocks.ts';
import { createMachine, type Machine } from '../machine/host/machine.ts';
import { hexToBytes } from '../protocol/rollup/bytes.ts';
import { NEW_NETWORK_FORK } from '../protocol/rollup/fork.ts';
import { encodeReceipts } from '../protocol/rollup/receipt.ts';
import { createRules, type Rules } from '../protocol/rollup/rules.ts';
import { TRANSFERS_PER_BLOCK } from './chain.ts';
import { round } from './figures.ts';
import {
  blockOf,
  CHAIN_ID,
  createHolders,
  createTransfers,
  FEE_RECIPIENT,
  type Holders,
  signTransfers,
  tokenGenesis,
} from './token-chain.ts';

const ACCOUNTS = (process.env.BENCH_GROWTH_ACCOUNTS ?? '10000,100000,1000000').split(',').map(Number);
const BLOCKS = Number(process.env.BENCH_GROWTH_BLOCKS ?? 24);
const WARM_BLOCKS = 8;
/** As a node has by default (rollup.cacheBytes). */
const CACHE_BYTES = 64 << 20;
const MOST_GROWTH = 1.5;
/** Recovering the sender of one, in microseconds, which is the same however many accounts there are. */
const RECOVERY_US = 46;

interface Grown {
  readonly accounts: number;
  /** CPU of the thread in microseconds a transfer, without what LevelDB's own threads merge. */
  readonly executeUs: number;
  readonly sealUs: number;
  readonly writeUs: number;
  /** A transfer. */
  readonly asked: number;
  readonly entries: number;
  readonly groups: number;
  readonly writtenBytes: number;
}

function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Blocks of transfers over so many accounts. */
async function measure(accounts: number, path: string): Promise<Grown> {
  const rules = createRules(CHAIN_ID, nativeCrypto, NEW_NETWORK_FORK);
  const databaseKey = randomBytes(32);
  const [keys, sealer] = [createDatabaseKeys(databaseKey), createSealer(databaseKey, randomBytes)];
  const { own, executing } = shareCacheBytes(CACHE_BYTES);
  const database = createChainDatabase({ path, databaseKey, cacheBytes: own, durable: false }, { sealer, rules });
  await database.open();
  const holders = createHolders(accounts);
  let previous = await writeGenesis(holders, database, rules);
  const transfers = createTransfers(holders, (WARM_BLOCKS + BLOCKS) * TRANSFERS_PER_BLOCK);
  const raws = signTransfers(holders, transfers);
  const seen = { asked: 0, entry: 0, group: 0, execute: 0, seal: 0, write: 0, bytes: 0 };
  const preimages = await openSharedPreimages({ path, databaseKey, cacheBytes: executing }, (what) => {
    seen[what] += 1;
  });
  const machine: Machine = createMachine(
    loadMachine(),
    { chainId: CHAIN_ID, ...NEW_NETWORK_FORK },
    {
      get(_kind, hash) {
        seen.asked += 1;
        return preimages.get(hash);
      },
    },
  );
  for (let at = 0; at < WARM_BLOCKS + BLOCKS; at++) {
    if (at === WARM_BLOCKS) for (const name of Object.keys(seen)) seen[name as keyof typeof seen] = 0;
    const from = at * TRANSFERS_PER_BLOCK;
    const senders = transfers.slice(from, from + TRANSFERS_PER_BLOCK).map((transfer) => transfer.from);
    const input = { ...blockOf(at, raws.slice(from, from + TRANSFERS_PER_BLOCK)), senders };
    const request = encodeBlockInput(previous, {
      ...input,
      feeRecipient: FEE_RECIPIENT,
      deposits: [],
      parameters: undefined,
    });
    const start = cpuUs();
    const { freshBytes, hash, header, dropped } = machine.executeEncoded(request);
    const executed = cpuUs();
    if (dropped.length > 0) throw new RangeError(`${dropped.length} transfers were dropped: ${dropped[0]?.obstacle}`);
    const operations = packPreimages({ number: BigInt(at + 1), hash: hexToBytes(hash) }, freshBytes, { keys, sealer });
    const sealed = cpuUs();
    await database.apply({ operations });
    seen.execute += executed - start;
    seen.seal += sealed - executed;
    seen.write += cpuUs() - sealed;
    seen.bytes += freshBytes.length;
    previous = header;
  }
  await preimages.close();
  await database.close();
  const each = (sum: number): number => round(sum / BLOCKS / TRANSFERS_PER_BLOCK);
  return {
    accounts,
    executeUs: each(seen.execute),
    sealUs: each(seen.seal),
    writeUs: each(seen.write),
    asked: each(seen.asked),
    entries: each(seen.entry),
    groups: each(seen.group),
    writtenBytes: Math.round(each(seen.bytes)),
  };
}

/** The genesis and its state leave memory before anything is measured. */
async function writeGenesis(holders: Holders, database: ChainDatabase, rules: Rules): Promise<Uint8Array> {
  const { hash, block, header, preimages } = tokenGenesis(holders, rules);
  const written = {
    hash,
    number: 0n,
    blockBytes: block.serialize(),
    receiptBytes: encodeReceipts([]),
    transactionHashes: [],
  };
  await database.apply({ block: { ...written, preimages } });
  return header.serialize();
}

/** Prints a line for each number of accounts; the ratio is to the first. */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-bench-growth-'));
  let first: number | undefined;
  try {
    for (const accounts of ACCOUNTS) {
      const grown = await measure(accounts, join(folder, String(accounts)));
      const us = grown.executeUs + grown.sealUs + grown.writeUs + RECOVERY_US;
      first ??= us;
      const line = {
        name: 'growth',
        ours: round(us),
        peer: round(first),
        peerName: `${ACCOUNTS[0]} accounts`,
        ratio: round(us / first),
      };
      const rest = { most: MOST_GROWTH, unit: 'µs of CPU a transfer', ...grown, load: round(loadavg()[0] ?? 0) };
      process.stdout.write(`${JSON.stringify({ ...line, ...rest })}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
