import { randomBytes } from 'node:crypto';

import { join } from 'node:path';
import { parseEther } from 'ethers';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { peerIdOfSeed } from '../../../appliance/p2p/identity.ts';
import { buildDescriptorGenesis, describeMachine, MACHINE_DIGEST } from '../../../appliance/rollup/index.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { type NetworkDescriptor, signDescriptor } from '../../../protocol/network/descriptor.ts';
import { NEW_NETWORK_FORK } from '../../../protocol/rollup/fork.ts';
import { writeWhole } from '../write-whole.ts';
import { type DefaultPorts, defaultPorts } from './default-ports.ts';
import { devnetKeyPath, faucetKeyPath, writeKeyOnce } from './devnet-home.ts';
import { type DevnetL1, startDevnetL1, stopDevnetL1 } from './devnet-l1.ts';
import { type ChosenPorts, choosePorts } from './devnet-ports.ts';
import { deployL1Contracts, deployOpenStepVerifier } from './l1-contracts.ts';
import { callRpc } from './rpc.ts';

const DEVNET_L2_CHAIN_ID = 6_328_270n;
/** ethers looks for a receipt at new blocks only: on a quiet chain it would wait for the next one, however late. */
const HEARTBEAT_MS = 2_000;
/** Empty blocks too go to L1: not each by itself. */
const BATCH_INTERVAL_MS = 4_000;
/** A devnet often has no peer at all, and is started again while people wait. */
const PEER_WAIT_MS = 3_000;
const VALIDATOR_POLL_MS = 2_000;
const GAS_LIMIT = 30_000_000n;
const ZERO_HASH: Hex = `0x${'0'.repeat(64)}`;
const AUDITOR_BALANCE_WEI = parseEther('1000');

type DevnetPorts = DefaultPorts['devnet'];

export interface CreateDevnetOptions {
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  now(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The others are the usual ones, or the next free. */
  readonly ports: ChosenPorts;
}

/**
 * Makes a devnet: L1 with its contracts, keys, genesis, and last the signed descriptor, so that an interrupted attempt leaves no
 * descriptor and is simply done again. Ends with L1 running.
 */
export async function createDevnet(devnet: string, options: CreateDevnetOptions): Promise<void> {
  const { say, signal, now, env } = options;
  await makeFolders(join(devnet, 'keys'), 0o700);
  const l1 = join(devnet, 'l1');
  const ports = await choosePorts(defaultPorts(env).devnet, options.ports);
  say('starting the development L1');
  let chain = await startDevnetL1({ folder: l1, port: ports.l1 });
  signal.throwIfAborted();
  const genesis = await buildDevnetGenesis(chain, Math.floor(now() / 1000));
  say('deploying the L1 contracts');
  // anvil makes another block 0 at every start, so the block after which derivation begins has to be a later one.
  await callRpc(chain.rpcUrl, 'evm_mine', []);
  const { key } = chain.accounts.deployer;
  const verifier = await deployOpenStepVerifier({ rpcUrl: chain.rpcUrl, key });
  const contracts = await deployL1Contracts(chain.rpcUrl, key, {
    sequencer: chain.accounts.sequencer.address,
    genesisHash: genesis.genesisHash,
    disputes: { verifier, ...describeMachine(DEVNET_L2_CHAIN_ID, NEW_NETWORK_FORK) },
  });
  // anvil writes its state at intervals and at its end: the contracts must not be lost to a kill -9 in the first seconds.
  await stopDevnetL1(l1);
  chain = await startDevnetL1({ folder: l1, port: ports.l1 });

  signal.throwIfAborted();
  say('describing the network');
  const keys = await writeKeys(devnet, chain);
  const descriptor = describe({ chain, ports, contracts, genesis, peerId: await peerIdOfSeed(keys.p2p) });
  const config = {
    version: 1,
    sequencer: {
      rpcPort: ports.rpc,
      auditor: true,
      heartbeatMs: HEARTBEAT_MS,
      peerWaitMs: PEER_WAIT_MS,
      batchIntervalMs: BATCH_INTERVAL_MS,
      // anvil forgets blobs when it is started again.
      dataAvailability: 'calldata',
    },
    rollup: { validator: { enabled: true, pollMs: VALIDATOR_POLL_MS } },
    p2p: { listenHost: '127.0.0.1', listenPort: ports.p2p, allowPrivateAddresses: true },
  };
  await writeWhole(devnet, 'config.json', `${JSON.stringify(config, undefined, 2)}\n`);
  await writeWhole(devnet, 'network.json', signDescriptor(descriptor, keys.descriptor));
}

async function writeKeys(devnet: string, { accounts }: DevnetL1): Promise<{ p2p: Uint8Array; descriptor: Uint8Array }> {
  await writeKeyOnce(devnetKeyPath(devnet, 'sequencer'), accounts.sequencer.key);
  await writeKeyOnce(devnetKeyPath(devnet, 'auditor-1'), accounts.auditors[0].key);
  await writeKeyOnce(devnetKeyPath(devnet, 'auditor-2'), accounts.auditors[1].key);
  await writeKeyOnce(devnetKeyPath(devnet, 'validator'), accounts.deployer.key);
  await writeKeyOnce(devnetKeyPath(devnet, 'database'), randomBytes(32));
  await writeKeyOnce(faucetKeyPath(devnet), accounts.faucet.key);
  return {
    p2p: await writeKeyOnce(devnetKeyPath(devnet, 'p2p'), randomBytes(32)),
    descriptor: await writeKeyOnce(devnetKeyPath(devnet, 'descriptor'), randomBytes(32)),
  };
}

interface Described {
  readonly chain: DevnetL1;
  readonly ports: DevnetPorts;
  readonly contracts: Awaited<ReturnType<typeof deployL1Contracts>>;
  readonly genesis: Pick<NetworkDescriptor['l2'], 'genesis' | 'genesisHash'>;
  readonly peerId: string;
}

/** L2's block 0. It rests on nothing of L1, whose contracts are told its hash. `timestamp`: seconds. */
async function buildDevnetGenesis({ accounts }: DevnetL1, timestamp: number): Promise<Described['genesis']> {
  const l2ChainId = DEVNET_L2_CHAIN_ID.toString();
  const genesis = {
    l2ChainId,
    timestamp: String(timestamp),
    gasLimit: GAS_LIMIT.toString(),
    auditors: accounts.auditors.map(({ address }) => address),
    ejectionQuorum: 2,
    alloc: accounts.auditors.map(({ address }) => ({ address, balanceWei: AUDITOR_BALANCE_WEI.toString() })),
    feeRecipient: accounts.sequencer.address,
    ...NEW_NETWORK_FORK,
  };
  const l2 = {
    chainId: l2ChainId,
    genesis,
    machine: MACHINE_DIGEST,
    genesisHash: ZERO_HASH,
    sequencer: accounts.sequencer.address,
  };
  return { genesis, genesisHash: buildDescriptorGenesis({ l2 }).hash };
}

function describe({ chain, ports, contracts, genesis, peerId }: Described): NetworkDescriptor {
  const { sequencer, faucet } = chain.accounts;
  const { inbox, sequencerInbox, rollup, outbox, deployedAt } = contracts;
  return {
    version: 1,
    name: 'devnet',
    l1: { chainId: chain.chainId.toString(), inbox, sequencerInbox, rollup, outbox, deployedAt },
    l2: { chainId: DEVNET_L2_CHAIN_ID.toString(), ...genesis, machine: MACHINE_DIGEST, sequencer: sequencer.address },
    // anvil is its own beacon node.
    endpoints: {
      l1Rpc: [chain.rpcUrl],
      l1Beacon: [chain.rpcUrl],
      sequencerRpc: [`http://127.0.0.1:${ports.rpc}`],
    },
    bootstrap: [`/ip4/127.0.0.1/tcp/${ports.p2p}/p2p/${peerId}`],
    devnet: { faucet: faucet.address },
  };
}
