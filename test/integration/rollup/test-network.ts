import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import {
  type BatchPeers,
  buildDescriptorGenesis,
  createAuditor,
  createBatcher,
  createRollup,
  createRpcServer,
  createSequencer,
  MACHINE_DIGEST,
  type Rollup,
  rollupConfig,
  sequencerConfig,
} from '../../../appliance/rollup/index.ts';
import { createLifecycle, type Service } from '../../../appliance/service.ts';
import { createLogger, createMetrics, type Logger } from '../../../appliance/telemetry/index.ts';
import { type DevnetL1, startDevnetL1, stopDevnetL1 } from '../../../cli/provision/process/devnet-l1.ts';
import { deployL1Contracts, withWallet } from '../../../cli/provision/process/l1-contracts.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { NEW_NETWORK_FORK } from '../../../protocol/rollup/fork.ts';

/** A whole network on this machine: real anvil, real contracts, a sequencer node, and followers that have L1 alone. */
export interface TestNetwork {
  readonly folder: string;
  readonly l1Folder: string;
  readonly l1Port: number;
  readonly l1: DevnetL1;
  readonly descriptor: NetworkDescriptor;
  /** `validator`: asserts with the deployer's account, which may stake. */
  startSequencer(options?: SequencerMake): Promise<SequencerNode>;
  /** `name` keeps its database over restarts. */
  startFollower(
    name: string,
    more?: Partial<Static<typeof rollupConfig>>,
    beside?: Pick<NodeMake, 'batchPeers' | 'snapshotPath'>,
  ): Promise<RunningNode>;
  /** Ten ETH on L1 from the faucet. */
  fundOnL1(address: Hex): Promise<void>;
  restartL1(): Promise<void>;
  l1Send(method: string, params: readonly unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

export interface SequencerMake {
  readonly validator?: boolean;
  readonly more?: Partial<Static<typeof sequencerConfig>>;
  readonly askPeers?: () => Promise<number>;
  readonly onAnnounced?: (envelope: Uint8Array) => void;
}

export interface RunningNode {
  readonly rollup: Rollup;
  stop(): Promise<void>;
}

export interface SequencerNode extends RunningNode {
  readonly url: string;
  readonly eject: ReturnType<typeof createAuditor>['eject'];
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 120_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await delay(40);
  }
}

function configOf<S extends typeof rollupConfig | typeof sequencerConfig>(
  schema: S,
  values: Partial<Static<S>>,
): Static<S> {
  return Value.Parse(schema, Value.Default(schema, { ...values }));
}

export const ETHER = 10n ** 18n;

/** `auditors`: these instead of the two of the devnet, whose service then attests nothing. */
export async function createTestNetwork(
  options: { readonly rich?: readonly Hex[]; readonly auditors?: readonly Hex[] } = {},
): Promise<TestNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-rollup-'));
  const l1Folder = join(folder, 'l1');
  const [l1Port, rpcPort] = [await freePort(), await freePort()];
  const l1Options = { folder: l1Folder, port: l1Port, blockTimeS: 1, stateIntervalS: 2 };
  const l1 = await startDevnetL1(l1Options);
  const { deployer, sequencer, auditors } = l1.accounts;
  const rich = [...auditors.map(({ address }) => address), ...(options.rich ?? [])];
  const genesis = {
    l2ChainId: '6328270',
    timestamp: String(Math.floor(Date.now() / 1000)),
    gasLimit: '30000000',
    auditors: [...(options.auditors ?? auditors.map(({ address }) => address))],
    ejectionQuorum: 2,
    alloc: rich.map((address) => ({ address, balanceWei: String(100n * ETHER) })),
    feeRecipient: sequencer.address,
    ...NEW_NETWORK_FORK,
  };
  const l2 = {
    chainId: '6328270',
    genesis,
    machine: MACHINE_DIGEST,
    genesisHash: `0x${'0'.repeat(64)}` as Hex,
    sequencer: sequencer.address,
  };
  const { hash: genesisHash } = buildDescriptorGenesis({ l2 });
  const deployment = { sequencer: sequencer.address, genesisHash };
  const { inbox, sequencerInbox, rollup, outbox, deployedAt } = await deployL1Contracts(
    l1.rpcUrl,
    deployer.key,
    deployment,
  );
  const descriptor: NetworkDescriptor = {
    version: 1,
    name: 'devnet',
    l1: { chainId: String(l1.chainId), inbox, sequencerInbox, rollup, outbox, deployedAt },
    l2: { ...l2, genesisHash },
    endpoints: { l1Rpc: [l1.rpcUrl], l1Beacon: [l1.rpcUrl], sequencerRpc: [`http://127.0.0.1:${rpcPort}`] },
    bootstrap: [],
  };
  const log = createLogger({ level: (process.env.NECTAR_TEST_LOG ?? 'silent') as 'silent' });
  const running = new Set<RunningNode>();

  const run = (node: Omit<RunningNode, 'stop'>, services: readonly Service[]) =>
    startNode(log, node, services, running);

  return {
    folder,
    l1Folder,
    l1Port,
    l1,
    descriptor,
    async startSequencer({ validator = false, more, askPeers, onAnnounced } = {}) {
      const config = configOf(sequencerConfig, {
        rpcPort,
        auditor: true,
        blockIntervalMs: 50,
        batchIntervalMs: 200,
        resubmitMs: 3_000,
        auditorPollMs: 100,
        heartbeatMs: 0,
        dataAvailability: 'calldata',
        // Without batches there is nothing to assert.
        ...(validator && { heartbeatMs: 300, idleBatchIntervalMs: 600 }),
        ...more,
      });
      const asserting = { validatorKey: deployer.key, more: { validator: ASSERTING } };
      const rollup = nodeOf('sequencer', { descriptor, folder, log, durable: true, ...(validator && asserting) });
      if (onAnnounced !== undefined) rollup.onUnsafe(onAnnounced);
      const deps = { rollup, log, now: Date.now };
      const keys = [auditors[0].key, auditors[1].key] as const;
      const services = {
        server: createRpcServer(config, rollup),
        sequencer: createSequencer({ config, key: sequencer.key }, { ...deps, ...(askPeers && { askPeers }) }),
        batcher: createBatcher({ config, key: sequencer.key }, deps),
        auditor: createAuditor({ config, keys }, deps),
      };
      const node = await run({ rollup }, [rollup, ...Object.values(services)]);
      return { ...node, url: services.server.url(), eject: (peer, reason) => services.auditor.eject(peer, reason) };
    },
    fundOnL1: (address) => fundFrom(l1, address),
    async startFollower(name, more, beside) {
      const own = { ...(more && { more }), ...beside };
      const rollup = nodeOf(name, { descriptor, folder, log, durable: false, ...own });
      return run({ rollup }, [rollup]);
    },
    async restartL1() {
      await startDevnetL1(l1Options);
    },
    async l1Send(method, params) {
      const response = await fetch(l1.rpcUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
      if (error !== undefined) throw new Error(error.message);
      return result;
    },
    async stop() {
      for (const node of [...running]) await node.stop();
      await stopDevnetL1(l1Folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function fundFrom({ rpcUrl, accounts }: DevnetL1, to: Hex): Promise<void> {
  await withWallet({ rpcUrl, key: accounts.faucet.key }, async (wallet) => {
    await (await wallet.sendTransaction({ to, value: 10n * ETHER })).wait();
  });
}

/** Of every node, so that another process can open a node's database. */
export const DATABASE_KEY = randomBytes(32);
const OPERATOR_KEYS = new Map<string, Uint8Array>();

export function operatorKey(name: string): Uint8Array {
  const key = OPERATOR_KEYS.get(name) ?? randomBytes(32);
  OPERATOR_KEYS.set(name, key);
  return key;
}

interface NodeMake {
  readonly descriptor: NetworkDescriptor;
  readonly folder: string;
  readonly log: Logger;
  readonly durable: boolean;
  readonly more?: Partial<Static<typeof rollupConfig>>;
  readonly validatorKey?: Uint8Array;
  readonly snapshotPath?: string;
  readonly batchPeers?: BatchPeers;
}

export const WATCHING = {
  enabled: false,
  pollMs: 100,
  resubmitMs: 5_000,
  maxFeePerGasGwei: 500,
  srsFolder: '',
  proverProgram: '',
};
const ASSERTING = { ...WATCHING, enabled: true };

function nodeOf(
  name: string,
  { descriptor, folder, log, durable, more = {}, validatorKey, snapshotPath, batchPeers }: NodeMake,
): Rollup {
  const fast = { l1PollMs: 100, l1MaxBackoffMs: 500, l1TimeoutMs: 2_000, validator: WATCHING };
  const config = configOf(rollupConfig, { ...fast, ...more });
  return createRollup(
    {
      config,
      descriptor,
      databasePath: join(folder, name),
      durable,
      ...(snapshotPath && { snapshotPath }),
      clientVersion: 'nectar-byon/test',
    },
    {
      secrets: {
        databaseKey: () => DATABASE_KEY,
        operatorKey: () => operatorKey(name),
        ...(validatorKey && { validatorKey: () => validatorKey }),
      },
      ...(batchPeers && { batchPeers }),
      log,
      metrics: createMetrics(),
      now: Date.now,
      randomBytes: (size) => randomBytes(size),
    },
  );
}

async function startNode(
  log: Logger,
  node: { rollup: Rollup },
  services: readonly Service[],
  running: Set<RunningNode>,
) {
  const lifecycle = createLifecycle(log);
  await lifecycle.start(services);
  const started = {
    ...node,
    async stop() {
      running.delete(started);
      await lifecycle.stop();
    },
  };
  running.add(started);
  return started;
}
