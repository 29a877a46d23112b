import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after } from 'node:test';
import { setDefaultCACertificates } from 'node:tls';
import { JsonRpcProvider, toQuantity } from 'ethers';
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
  parseEther,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { createSteps } from './steps.ts';
import { until, Workplace } from './workplace.ts';

/**
 * The chain's side of the story, on nodes as `init` leaves them: a second client, an L1 that reorganises, a sequencer that falls silent,
 * ETH that goes back, a node that begins with a snapshot.
 * The devnet's L1 is told to let time pass; everything else is as its user has it.
 */
const work = new Workplace();
const A = work.path('home-a');
const B = work.path('home-b');
const step = createSteps(false);

interface Status {
  readonly ready: boolean;
  readonly l2: { readonly unsafe: number; readonly safe: number };
  readonly anchored: { readonly auditSize: number; readonly records: number };
  readonly audit: { readonly size: number };
  readonly gateway: string;
}
const status = (): Promise<Status> => work.json<Status>(['status', '--home', A]);

const account = privateKeyToAccount(generatePrivateKey());
/** Blocks that L1 takes back. */
const REORG_BLOCKS = 4;
const friend = privateKeyToAccount(generatePrivateKey()).address;
let l1: JsonRpcProvider | undefined;
let url = '';
let paidAt = 0;
let stopped: number | undefined;

after(async () => {
  if (stopped !== undefined) process.kill(stopped, 'SIGCONT');
  l1?.destroy();
  for (const home of [A, B]) if (existsSync(home)) await work.run(['destroy', '--yes', '--home', home]);
  await work.run(['devnet', 'down']);
  work.remove();
});

function clients() {
  const nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 };
  const chain = defineChain({ id: 6328270, name: 'devnet', nativeCurrency, rpcUrls: { default: { http: [url] } } });
  const transport = http(url);
  return {
    reader: createPublicClient({ chain, transport, pollingInterval: 100 }),
    wallet: createWalletClient({ chain, transport, account }),
  };
}

let hastenedAt = 0;

/** From the request to a claim, should L1's time go no faster than the clock: a loaded machine. */
const WITHDRAWAL_MS = 600_000;
/** An `init` refuses an L1 that is further ahead of the clock than 300 s. */
const MAX_AHEAD_S = 200;

/** Lets L1's time go some four times as fast, as far as a node may begin on it. */
async function hastenL1(): Promise<void> {
  if (Date.now() < hastenedAt + 5_000) return;
  hastenedAt = Date.now();
  const head = await l1?.getBlock('latest');
  if ((head?.timestamp ?? 0) - Date.now() / 1000 < MAX_AHEAD_S) await l1?.send('evm_increaseTime', [15]);
}

async function headOfL1(): Promise<number> {
  return (await l1?.getBlockNumber()) ?? 0;
}

/** What both nodes say when something does not come: the sequencer's is where L1 is paid from. */
async function explain(error: Error): Promise<never> {
  const texts = [error.message, JSON.stringify(await status())];
  for (const home of [A, work.path('devnet')]) {
    const path = `${home}/logs`;
    const files = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.log')) : [];
    for (const name of files) {
      const lines = readFileSync(`${path}/${name}`, 'utf8').trimEnd().split('\n').slice(-40);
      texts.push(`== ${home}/${name}`, ...lines.map((line) => line.slice(0, 400)));
    }
  }
  for (const args of [
    ['chain', 'withdrawals'],
    ['chain', 'batches'],
  ])
    texts.push((await work.run([...args, '--json', '--home', A])).stdout);
  throw new Error(texts.join('\n'), { cause: error });
}

interface SyncStatus {
  readonly l1: { readonly number: Hex; readonly hash: Hex };
  readonly historyFrom?: Hex;
}

/** viem's types know Ethereum's methods only. */
function syncStatus(reader: PublicClient): Promise<SyncStatus> {
  return (reader.request as (call: { method: string }) => Promise<SyncStatus>)({ method: 'nectar_syncStatus' });
}

/** An address of a node's /rpc that holds a token; this process trusts the node from now on, as NODE_EXTRA_CA_CERTS does for one of its own. */
async function rpcUrl(home: string): Promise<string> {
  const made = await work.json<{ url: string }>(['token', 'create', 'viem', '--scope', 'rpc', '--url', '--home', home]);
  setDefaultCACertificates([readFileSync(`${home}/tls/ca.crt`, 'utf8')]);
  return made.url;
}

async function isSafe(reader: PublicClient, number: bigint): Promise<true | undefined> {
  return (await reader.getBlock({ blockTag: 'safe' })).number >= number ? true : undefined;
}

step('a wallet connects by an address that holds its token, and is paid from L1', async () => {
  await work.json(['init', '--yes', '--home', A]);
  url = await rpcUrl(A);
  const endpoints = JSON.parse(readFileSync(`${A}/network.json`, 'utf8')) as { endpoints: { l1Rpc: string[] } };
  l1 = new JsonRpcProvider(endpoints.endpoints.l1Rpc[0]);
  assert.equal((await work.run(['devnet', 'fund', account.address, '--ether', '2'])).code, 0);
  const { reader } = clients();
  await until('the deposit', async () =>
    (await reader.getBalance({ address: account.address })) > 0n ? true : undefined,
  );
  paidAt = await headOfL1();
});

step('an L1 reorg takes blocks back, and what was sent is there again', async () => {
  const { reader, wallet } = clients();
  const hash = await wallet.sendTransaction({ to: friend, value: parseEther('0.25') });
  const receipt = await reader.waitForTransactionReceipt({ hash, timeout: 240_000 });
  await until('the transfer on L1', () => isSafe(reader as PublicClient, receipt.blockNumber));
  // The deposit stays on this branch: what an L1 forgets, L2 does not have either.
  await until('blocks that may be lost', async () =>
    (await headOfL1()) >= paidAt + REORG_BLOCKS + 1 ? true : undefined,
  );
  await l1?.send('anvil_reorg', [REORG_BLOCKS, []]);
  const reached = await headOfL1();
  await until('the node on the other branch', async () => {
    const { l1: seen } = await syncStatus(reader as PublicClient);
    const canonical = await l1?.getBlock(Number(seen.number));
    return BigInt(seen.number) >= reached && canonical?.hash === seen.hash ? true : undefined;
  });
  const again = await until('the transfer after the reorg', async () => {
    const found = await reader.getTransactionReceipt({ hash }).catch(() => undefined);
    return found !== undefined && (await isSafe(reader as PublicClient, found.blockNumber)) ? found : undefined;
  });
  assert.equal(again.status, 'success');
  assert.equal(await reader.getBalance({ address: friend }), parseEther('0.25'));
  await until('the node to be ready', async () => ((await status()).ready ? true : undefined));
});

step('a node that is told to wait less starts again', async () => {
  const path = `${A}/config.json`;
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...config, rollup: { forceAfterMs: 1_000, forwardTimeoutMs: 1_000 } }));
  assert.equal((await work.run(['down', '--home', A])).code, 0);
  assert.equal((await work.run(['up', '--home', A])).code, 0);
});

step('past a silent sequencer the node anchors its log through L1', async () => {
  const { pid } = JSON.parse(readFileSync(work.path('devnet', 'run', 'node.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGSTOP');
  stopped = pid;
  const before = await status();
  const address = (await work.json<{ operator: string }>(['network', 'status', '--home', A])).operator;
  await l1?.send('anvil_setBalance', [address, toQuantity(parseEther('1'))]);
  assert.equal(
    (await work.run(['put', '-', '--home', A], { input: 'written while the sequencer said nothing' })).code,
    0,
  );
  const size = before.audit.size + 1;
  await until(
    'the anchor, by force',
    async () => {
      // Nobody may force what the sequencer still has time to read.
      await hastenL1();
      return (await status()).anchored.auditSize >= size ? true : undefined;
    },
    300_000,
  ).catch(explain);
});

step('the sequencer goes on from what L1 forced', async () => {
  process.kill(stopped ?? 0, 'SIGCONT');
  stopped = undefined;
  const { reader, wallet } = clients();
  const hash = await wallet.sendTransaction({ to: friend, value: parseEther('0.25') });
  const receipt = await reader.waitForTransactionReceipt({ hash, timeout: 240_000 });
  await until('the transfer on L1', () => isSafe(reader as PublicClient, receipt.blockNumber));
  assert.equal(await reader.getBalance({ address: friend }), parseEther('0.5'));
});

interface Withdrawals {
  readonly withdrawals: readonly { readonly id: number | null; readonly state: string }[];
}

step('ETH comes back to L1 by a confirmed assertion and a proof, once', async () => {
  await work.json(['chain', 'withdraw', '--amount', '0.001', '--to', friend, '--yes', '--home', A]);
  const id = await until(
    'the withdrawal to be claimable',
    async () => {
      // The challenge period, and the interval between assertions.
      await hastenL1();
      const { withdrawals } = await work.json<Withdrawals>(['chain', 'withdrawals', '--home', A]);
      return withdrawals.find(({ state }) => state === 'claimable')?.id ?? undefined;
    },
    WITHDRAWAL_MS,
  ).catch(explain);
  await work.json(['chain', 'claim', String(id), '--home', A]);
  assert.equal(await l1?.getBalance(friend), parseEther('0.001'));
  const again = await work.error(['chain', 'claim', String(id), '--home', A]);
  assert.equal(again.code, 'ROLLUP_WITHDRAWAL_NOT_CLAIMABLE');
});

step('a second node begins with a snapshot that its own L1 vouches for', async () => {
  const file = work.path('nectar.snapshot');
  const made = await until('a snapshot', () =>
    work.json<{ block: number }>(['chain', 'snapshot', file, '--home', A]).catch(() => undefined),
  );
  const changed = work.path('changed.snapshot');
  const bytes = readFileSync(file);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
  writeFileSync(changed, bytes);
  const refused = await work.error(['init', '--yes', '--home', B, '--snapshot', changed]);
  assert.match(`${refused.code} ${refused.message}`, /snapshot/i);
  assert.equal(existsSync(B), false, 'a node that could not begin leaves nothing');

  await work.json(['init', '--yes', '--home', B, '--snapshot', file]);
  url = await rpcUrl(B);
  const { reader } = clients();
  const { historyFrom } = await syncStatus(reader as PublicClient);
  assert.equal(BigInt(historyFrom ?? '0x0'), BigInt(made.block));
  assert.equal(await reader.getBalance({ address: friend }), parseEther('0.5'));
});
