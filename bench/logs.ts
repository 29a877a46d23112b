/**
 * eth_getLogs for one account's transfers over all blocks: by the index against a look at each header's bloom filter, through the same
 * RPC on the same sealed database, in turns. Prints what building the index costs a block, and what it takes on disk, too.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBlock } from '@ethereumjs/block';
import { Bloom } from '@ethereumjs/vm';
import { id } from 'ethers';
import { type ChainDatabase, createChainDatabase } from '../appliance/rollup/execute/chain-database.ts';
import type { Heads } from '../appliance/rollup/execute/heads.ts';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import { createSealer } from '../appliance/rollup/execute/sealer.ts';
import { createLogIndex, type LogIndex } from '../appliance/rollup/logs/log-index.ts';
import { createFingerprint, fingerprintsOf } from '../appliance/rollup/logs/log-items.ts';
import { createForwardedTransactions } from '../appliance/rollup/rpc/pending-transactions.ts';
import { createRpc, type Rpc } from '../appliance/rollup/rpc/rpc.ts';
import { createLogger } from '../appliance/telemetry/index.ts';
import type { Hex } from '../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../protocol/rollup/bytes.ts';
import { encodeReceipts, type Receipt } from '../protocol/rollup/receipt.ts';
import { createRules } from '../protocol/rollup/rules.ts';
import { printTurns, round } from './figures.ts';

const BLOCKS = Number(process.env.BENCH_LOG_BLOCKS ?? 20_000);
const LOGS_PER_BLOCK = 5;
const ACCOUNTS = 5_000;
/** What one eth_getLogs may look through without the index. */
const SCANNED_BLOCKS = 10_000;
const TURNS = 5;
const TRANSFER = id('Transfer(address,address,uint256)') as Hex;
const TOKEN: Hex = `0x${'70'.repeat(20)}`;
const rules = createRules(6328270n, nativeCrypto);

const account = (n: number): Hex => `0x${(n % ACCOUNTS).toString(16).padStart(64, '0')}`;

function receiptOf(number: number, index: number): Receipt {
  const [from, to] = [account(number * 31 + index * 7), account(number * 17 + index * 13 + 1)];
  const log = { address: TOKEN, topics: [TRANSFER, from, to], data: `0x${'00'.repeat(32)}` as Hex };
  const bloom = new Bloom();
  for (const item of [TOKEN, ...log.topics]) bloom.add(hexToBytes(item));
  return {
    transactionHash: `0x${(number * LOGS_PER_BLOCK + index).toString(16).padStart(64, 'a')}`,
    type: 2,
    sender: TOKEN,
    to: TOKEN,
    status: 1,
    gasUsed: 50_000n,
    cumulativeGasUsed: 50_000n * BigInt(index + 1),
    effectiveGasPrice: 1n,
    contractAddress: undefined,
    bloom: bloom.bitvector,
    logs: [log],
  };
}

/** Blocks whose transactions nobody asks for: headers and receipts are what logs are found by. */
async function fill(database: ChainDatabase): Promise<Heads> {
  let parentHash = new Uint8Array(32);
  let ref = { number: 0n, hash: bytesToHex(parentHash), timestamp: 0n };
  for (let number = 0; number < BLOCKS; number++) {
    const receipts = Array.from({ length: LOGS_PER_BLOCK }, (_, index) => receiptOf(number, index));
    const bloom = new Bloom();
    for (const receipt of receipts) bloom.or(new Bloom(receipt.bloom));
    const header = { number, parentHash, gasUsed: 250_000n, gasLimit: 30_000_000n, logsBloom: bloom.bitvector };
    const block = createBlock({ header }, { common: rules });
    parentHash = Uint8Array.from(block.hash());
    ref = { number: BigInt(number), hash: bytesToHex(parentHash), timestamp: 0n };
    const written = {
      hash: ref.hash,
      number: ref.number,
      blockBytes: block.serialize(),
      receiptBytes: encodeReceipts(receipts),
      transactionHashes: receipts.map(({ transactionHash }) => transactionHash),
    };
    const preimages = new Map([[ref.hash, block.header.serialize()]]);
    await database.apply({ block: { ...written, preimages } });
  }
  return { unsafe: ref, safe: ref, finalized: ref };
}

async function build(index: LogIndex, database: ChainDatabase, fingerprint: ReturnType<typeof createFingerprint>) {
  const start = process.hrtime.bigint();
  for (let number = 0n; number < BigInt(BLOCKS); number += 1n) {
    const hash = await database.canonicalHash(number);
    await index.append(hash, fingerprintsOf((hash && (await database.receipts(hash))) ?? [], fingerprint));
  }
  return Number(process.hrtime.bigint() - start) / 1e6 / BLOCKS;
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Queries of all blocks in a second. */
async function measure(rpc: Rpc, turn: number, rangeBlocks: number): Promise<number> {
  const topic = account(turn * 101 + 5);
  const start = process.hrtime.bigint();
  let found = 0;
  for (let from = 0; from < BLOCKS; from += rangeBlocks) {
    const filter = { fromBlock: from, toBlock: Math.min(BLOCKS, from + rangeBlocks) - 1, topics: [TRANSFER, topic] };
    const answer = await rpc.handle({ jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [filter] });
    const { result } = answer as { readonly result?: readonly unknown[] };
    if (result === undefined) throw new RangeError(JSON.stringify(answer));
    found += result.length;
  }
  if (found === 0) throw new RangeError('no log was found');
  return 1e9 / Number(process.hrtime.bigint() - start);
}

function rpcOf(database: ChainDatabase, heads: Heads, logIndex?: LogIndex): Rpc {
  const now = (): number => 0;
  return createRpc({
    database,
    rules,
    // Nothing is called.
    evm: { run: () => Promise.reject(new RangeError('nothing is called')) },
    heads: () => heads,
    onHeads: () => () => undefined,
    clientVersion: 'bench',
    log: createLogger({ level: 'silent' }),
    now,
    randomBytes,
    submit: () => Promise.reject(new RangeError('nothing is sent')),
    pending: createForwardedTransactions({ maxTransactions: 1, maxBytes: 1, maxAgeMs: 1 }, { now }),
    ...(logIndex && { logIndex }),
  });
}

/** Runs both and prints one JSON line. */
export async function run(): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'nectar-bench-logs-'));
  const databaseKey = randomBytes(32);
  const database = createChainDatabase(
    { path, databaseKey, cacheBytes: 16 << 20, durable: false },
    { sealer: createSealer(databaseKey, randomBytes), rules },
  );
  await database.open();
  try {
    const heads = await fill(database);
    const before = await bytesIn(path);
    const fingerprint = createFingerprint(createHmac('sha256', databaseKey).update('bench').digest());
    const index = createLogIndex({ database, fingerprint, putRecords: (records) => database.apply({ records }) });
    await index.load();
    const msPerBlock = await build(index, database, fingerprint);
    const bytes = (await bytesIn(path)) - before;
    const [indexed, scanned] = [rpcOf(database, heads, index), rpcOf(database, heads)];
    const turns = { ours: [] as number[], peer: [] as number[] };
    for (let turn = 0; turn < TURNS; turn++) {
      turns.ours.push(await measure(indexed, turn, BLOCKS));
      turns.peer.push(await measure(scanned, turn, SCANNED_BLOCKS));
    }
    printTurns({ name: 'logs', peerName: 'look at each bloom filter', unit: `queries of ${BLOCKS} blocks/s` }, turns, {
      indexMsPerBlock: round(msPerBlock),
      indexBytesPerLog: round(bytes / BLOCKS / LOGS_PER_BLOCK),
    });
  } finally {
    await database.close();
    await rm(path, { recursive: true, force: true });
  }
}
