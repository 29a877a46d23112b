/**
 * The same ERC-20 transfers in the same blocks: imported by our node's own road, by geth (`geth import` of our blocks' RLP, to the same
 * state roots), and executed by anvil, in one run. geth is built from its Go module into BENCH_CACHE (a folder of the user's cache).
 *
 *   npm run bench -- chain-peers
 *
 * Durability: none waits for the disk after a block. Ours has each block and its state in the database before the next one begins
 * (survives a kill of the process); geth keeps the newest states in memory and writes them when it ends, which `peerWithStop` counts;
 * anvil keeps all in memory.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import type { Hex } from '../protocol/brand.ts';
import { bytesToHex } from '../protocol/rollup/bytes.ts';
import type { ForkRules } from '../protocol/rollup/fork.ts';
import { createRules, type Rules } from '../protocol/rollup/rules.ts';
import { measureAnvil } from './anvil-peer.ts';
import { encodeBatches, importBatches, measureImport, openChain, TRANSFERS_PER_BLOCK } from './chain.ts';
import { round } from './figures.ts';
import {
  CHAIN_ID,
  createHolders,
  createTransfers,
  type Holders,
  signTransfers,
  tokenAccounts,
  tokenGenesis,
} from './token-chain.ts';

const GETH_VERSION = 'v1.17.10';
const CACHE = process.env.BENCH_CACHE ?? join(homedir(), '.cache', 'nectar-bench');
const ACCOUNTS = Number(process.env.NECTAR_BENCH_ACCOUNTS ?? 10_000);
const BLOCKS = 24;
const WARM_BLOCKS = 4;
/** Prague's system contracts, without which geth takes no block of Prague, are no part of this chain. */
const FORK: ForkRules = { fork: 'cancun', p256: false };

interface Ended {
  readonly output: string;
  /** Of the process and its children. */
  readonly cpuSeconds: number;
  readonly seconds: number;
}

/** Runs a program to its end, by the shell's clock of its processor time. */
function runTimed(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const script = 'TIMEFORMAT="cpu %U %S %R"; time "$@"';
  const child = spawn('bash', ['-c', script, 'bash', program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const [, user, system, seconds] = /cpu ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(output) ?? [];
      if (code !== 0) reject(new Error(`${program} ended with ${code}\n${output.slice(-3_000)}`));
      else resolve({ output, cpuSeconds: Number(user) + Number(system), seconds: Number(seconds) });
    });
  });
}

async function buildGeth(): Promise<string> {
  const folder = join(CACHE, `geth-${GETH_VERSION}`);
  const program = join(folder, 'geth');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '' };
  await runTimed('go', ['install', `github.com/ethereum/go-ethereum/cmd/geth@${GETH_VERSION}`], env);
  return program;
}

/** The first block as geth and anvil read it. */
function genesisFile(holders: Holders, rules: Rules): string {
  const { header } = tokenGenesis(holders, rules);
  const number = (value: bigint): Hex => `0x${value.toString(16)}`;
  const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
  const alloc = tokenAccounts(holders, rules).map(({ address, nonce, balanceWei, code, storage }) => [
    address,
    {
      nonce: number(nonce),
      balance: number(balanceWei),
      ...(code.length > 0 && { code: bytesToHex(code) }),
      ...(storage.length > 0 && {
        storage: Object.fromEntries(storage.map(([slot, value]) => [word(slot), word(value)])),
      }),
    },
  ]);
  const forks = [
    'homestead',
    'eip150',
    'eip155',
    'eip158',
    'byzantium',
    'constantinople',
    'petersburg',
    'istanbul',
    'berlin',
    'london',
  ];
  const config = {
    chainId: Number(CHAIN_ID),
    ...Object.fromEntries(forks.map((fork) => [`${fork}Block`, 0])),
    terminalTotalDifficulty: 0,
    shanghaiTime: 0,
    cancunTime: 0,
    blobSchedule: { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 } },
  };
  return JSON.stringify({
    config,
    nonce: '0x0',
    timestamp: number(header.timestamp),
    extraData: bytesToHex(header.extraData),
    gasLimit: number(header.gasLimit),
    difficulty: '0x0',
    mixHash: bytesToHex(header.mixHash),
    coinbase: bytesToHex(header.coinbase.bytes),
    baseFeePerGas: number(header.baseFeePerGas ?? 0n),
    blobGasUsed: '0x0',
    excessBlobGas: '0x0',
    alloc: Object.fromEntries(alloc),
  });
}

interface Figure {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

interface Ours extends Figure {
  readonly genesisHash: Hex;
  /** RLP of the blocks, those to warm up first. */
  readonly warm: Uint8Array;
  readonly blocks: Uint8Array;
}

async function measureOurs(folder: string, holders: Holders, raws: readonly Uint8Array[]): Promise<Ours> {
  const rules = createRules(CHAIN_ID, nativeCrypto, FORK);
  const chain = await openChain(folder, rules, { holders, fork: FORK });
  try {
    const warm = WARM_BLOCKS * TRANSFERS_PER_BLOCK;
    await importBatches(chain, encodeBatches(0, raws.slice(0, warm)));
    const figures = await measureImport(chain, encodeBatches(WARM_BLOCKS, raws.slice(warm)), raws.length - warm);
    const read = async (from: number, to: number): Promise<Uint8Array> => {
      const blocks: Uint8Array[] = [];
      for (let number = from; number <= to; number++) {
        const hash = await chain.database.canonicalHash(BigInt(number));
        const block = hash && (await chain.database.block(hash));
        if (block === undefined) throw new RangeError(`no block ${number}`);
        blocks.push(block.serialize());
      }
      return Buffer.concat(blocks);
    };
    const genesisHash = (await chain.database.canonicalHash(0n)) ?? '0x';
    return {
      ...figures,
      genesisHash,
      warm: await read(1, WARM_BLOCKS),
      blocks: await read(WARM_BLOCKS + 1, WARM_BLOCKS + BLOCKS),
    };
  } finally {
    await chain.executor.close();
  }
}

/** Go's durations: 1m2.3s, 812.4ms. */
function secondsOf(duration: string): number {
  const units: Record<string, number> = { h: 3_600, m: 60, s: 1, ms: 1e-3, µs: 1e-6 };
  const parts = [...duration.matchAll(/([\d.]+)(h|ms|µs|m|s)/g)];
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (units[unit ?? ''] ?? Number.NaN), 0);
}

async function measureGeth(
  folder: string,
  genesis: string,
  { genesisHash, warm, blocks }: Ours,
): Promise<Figure & { readonly withStop: number }> {
  const geth = await buildGeth();
  const [genesisPath, warmPath, blocksPath] = ['genesis.json', 'warm.rlp', 'blocks.rlp'].map((name) =>
    join(folder, name),
  );
  await writeFile(genesisPath ?? '', genesis);
  await writeFile(warmPath ?? '', warm);
  await writeFile(blocksPath ?? '', blocks);
  const data = ['--datadir', join(folder, 'geth'), '--state.scheme', 'path', '--cache', '512'];
  const { output } = await runTimed(geth, [...data, 'init', genesisPath ?? '']);
  if (!output.includes(genesisHash.slice(2, 8)))
    throw new RangeError(`geth has another genesis: ${output.slice(-500)}`);
  await runTimed(geth, [...data, 'import', warmPath ?? '']);
  const done = await runTimed(geth, [...data, 'import', blocksPath ?? '']);
  const [, duration] = /Import done in (\S+?)\.?\s/.exec(done.output) ?? [];
  if (duration === undefined || !/number=28\b/.test(done.output))
    throw new RangeError(`geth did not import every block: ${done.output.slice(-2_000)}`);
  const count = BLOCKS * TRANSFERS_PER_BLOCK;
  return {
    perSecond: count / secondsOf(duration),
    perCpuSecond: count / done.cpuSeconds,
    withStop: count / done.seconds,
  };
}

/** Runs all three and prints a JSON line for each peer. */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-bench-peers-'));
  const holders = createHolders(ACCOUNTS);
  const raws = signTransfers(holders, createTransfers(holders, (WARM_BLOCKS + BLOCKS) * TRANSFERS_PER_BLOCK));
  const genesis = genesisFile(holders, createRules(CHAIN_ID, nativeCrypto, FORK));
  try {
    const ours = await measureOurs(join(folder, 'ours'), holders, raws);
    const geth = await measureGeth(folder, genesis, ours);
    const anvil = await measureAnvil(join(folder, 'genesis.json'), raws, WARM_BLOCKS);
    const common = { unit: 'ERC-20 transfers/s', accounts: ACCOUNTS, load: round(loadavg()[0] ?? 0) };
    const line = (peerName: string, peer: number, more: object): string =>
      JSON.stringify({
        name: 'chain-peers',
        ours: Math.round(ours.perSecond),
        peer: Math.round(peer),
        peerName,
        ratio: round(ours.perSecond / peer),
        ...common,
        ...more,
      });
    const perCpu = { oursPerCpuSecond: Math.round(ours.perCpuSecond), peerPerCpuSecond: Math.round(geth.perCpuSecond) };
    process.stdout.write(
      `${line(`geth ${GETH_VERSION} import`, geth.perSecond, { peerWithStop: Math.round(geth.withStop), ...perCpu })}\n`,
    );
    process.stdout.write(
      `${line('anvil, mining alone', anvil.mined, { peerWithSending: Math.round(anvil.sentAndMined) })}\n`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
