import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getBytes, HDNodeWallet, JsonRpcProvider, Mnemonic, parseEther, randomBytes, toQuantity } from 'ethers';
import { makeFolders } from '../../../appliance/make-folders.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { waitUntil } from '../../wait-until.ts';
import { findAnvilBinary, findAnvilPid, type StopAnvil, spawnAnvil, stopAnvil } from './anvil-process.ts';
import { requireDevnetPort } from './devnet-ports.ts';
import { isPortOfAnother } from './port-holder.ts';

export interface DevnetL1Options {
  /** Belongs to the development L1 alone: state, mnemonic, log, pid. Made 0700. */
  readonly folder: string;
  readonly port: number;
  readonly blockTimeS?: number;
  readonly stateIntervalS?: number;
  /** How long one that runs already may be silent. */
  readonly answerTimeoutMs?: number;
}

/** An account of the development L1. The same key may act on L2. */
export interface DevnetAccount {
  readonly address: Hex;
  /** secp256k1, 32 bytes. */
  readonly key: Uint8Array;
}

export interface DevnetL1 {
  readonly rpcUrl: string;
  readonly chainId: bigint;
  readonly pid: number;
  readonly accounts: {
    readonly deployer: DevnetAccount;
    readonly sequencer: DevnetAccount;
    readonly auditors: readonly [DevnetAccount, DevnetAccount];
    /** Pays the deposits with which new nodes get their first L2 balance. */
    readonly faucet: DevnetAccount;
  };
}

const DEVNET_L1_CHAIN_ID = 31337n;

const BLOCK_TIME_S = 6;
const STATE_INTERVAL_S = 10;
const START_TIMEOUT_MS = 20_000;
/** One that runs already answers, or hangs. */
const ANSWER_TIMEOUT_MS = 12_000;
const POLL_MS = 10;

/** Starts the development L1 of this folder, or finds it running; its chain, accounts and contracts outlive a stop. */
export async function startDevnetL1(options: DevnetL1Options): Promise<DevnetL1> {
  await makeFolders(options.folder, 0o700);
  await chmod(options.folder, 0o700);
  const accounts = await openAccounts(options.folder);
  const rpcUrl = `http://127.0.0.1:${options.port}`;
  const isRunning = findAnvilPid(options.folder) !== undefined;
  if (!isRunning) await launch(options);
  const pid = isRunning ? await requireAnswer(options, rpcUrl) : await waitUntilUp(options, rpcUrl);
  // The EVM of an anvil that was started again knows no hash of the blocks it loaded (revm's EmptyDB makes one up), and SequencerInbox
  // binds the hash before its own: the first block after the start is one that nobody asked for.
  if (!isRunning) await send(rpcUrl, 'evm_mine');
  await fund(rpcUrl, [accounts.deployer, accounts.sequencer, accounts.faucet]);
  return { rpcUrl, chainId: DEVNET_L1_CHAIN_ID, pid, accounts };
}

/** Stops it with its state on disk; does nothing when it is not running. */
export async function stopDevnetL1(folder: string, options?: StopAnvil): Promise<void> {
  await stopAnvil(folder, options);
}

async function launch(options: DevnetL1Options): Promise<void> {
  await requireDevnetPort('l1', options.port);
  const binary = findAnvilBinary();
  if (binary === undefined) {
    throw new NectarError('ROLLUP_L1_BINARY_MISSING', { platform: `${process.platform}-${process.arch}` });
  }
  const child = await spawnAnvil(binary, {
    folder: options.folder,
    port: options.port,
    blockTimeS: options.blockTimeS ?? BLOCK_TIME_S,
    stateIntervalS: options.stateIntervalS ?? STATE_INTERVAL_S,
    chainId: Number(DEVNET_L1_CHAIN_ID),
  });
  // A binary that cannot run at all shows as no pid; waitUntilUp turns it into the one clear error.
  child.on('error', () => {});
}

/** The pid, once the anvil *of this folder* answers: another program on the port is not taken for it. */
async function waitUntilUp(options: DevnetL1Options, rpcUrl: string): Promise<number> {
  const pid = await waitForPid(options, rpcUrl, START_TIMEOUT_MS);
  if (pid !== undefined) return pid;
  await stopAnvil(options.folder);
  const log = join(options.folder, 'anvil.log');
  throw new NectarError('ROLLUP_L1_NOT_STARTED', { port: options.port, log });
}

/** The same for one that ran before, which is not ended for its silence: it holds what it has not written yet. */
async function requireAnswer(options: DevnetL1Options, url: string): Promise<number> {
  const { answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
  const pid = await waitForPid(options, url, answerTimeoutMs);
  if (pid !== undefined) return pid;
  throw new NectarError('CLI_DEVNET_SILENT', { part: 'L1', url, seconds: answerTimeoutMs / 1000 });
}

/** undefined: it ended, or the time did. What answers may be another devnet's, which took the port while this one was starting. */
async function waitForPid(
  { folder, port }: DevnetL1Options,
  rpcUrl: string,
  timeoutMs: number,
): Promise<number | undefined> {
  const answer = async (): Promise<{ pid: number | undefined } | undefined> => {
    const pid = findAnvilPid(folder);
    if (pid === undefined) return { pid };
    if ((await findChainId(rpcUrl)) !== DEVNET_L1_CHAIN_ID || isPortOfAnother(port, pid)) return undefined;
    return findAnvilPid(folder) === pid ? { pid } : undefined;
  };
  const { signal } = new AbortController();
  return (await waitUntil(answer, { timeoutMs, pollMs: POLL_MS, signal }))?.pid;
}

async function findChainId(rpcUrl: string): Promise<bigint | undefined> {
  try {
    return BigInt(await send(rpcUrl, 'eth_chainId'));
  } catch {
    return undefined;
  }
}

async function send(rpcUrl: string, method: string): Promise<string> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }),
    signal: AbortSignal.timeout(1_000),
  });
  return ((await response.json()) as { result: string }).result;
}

async function openAccounts(folder: string): Promise<DevnetL1['accounts']> {
  const path = join(folder, 'mnemonic');
  const phrase = (await readIfPresent(path)) ?? (await createMnemonic(path));
  const account = (index: number): DevnetAccount => {
    const wallet = HDNodeWallet.fromPhrase(phrase.trim(), undefined, `m/44'/60'/0'/0/${index}`);
    return { address: wallet.address.toLowerCase() as Hex, key: getBytes(wallet.privateKey) };
  };
  return {
    deployer: account(0),
    sequencer: account(1),
    auditors: [account(2), account(3)],
    faucet: account(4),
  };
}

async function createMnemonic(path: string): Promise<string> {
  const { phrase } = Mnemonic.fromEntropy(randomBytes(16));
  await writeFile(path, `${phrase}\n`, { mode: 0o600, flag: 'wx' });
  return phrase;
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function fund(rpcUrl: string, accounts: readonly DevnetAccount[]): Promise<void> {
  const provider = new JsonRpcProvider(rpcUrl, DEVNET_L1_CHAIN_ID, { staticNetwork: true });
  try {
    for (const { address } of accounts) {
      if ((await provider.getBalance(address)) > 0n) continue;
      await provider.send('anvil_setBalance', [address, toQuantity(parseEther('1000000'))]);
    }
  } finally {
    provider.destroy();
  }
}
