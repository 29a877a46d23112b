import {
  Contract,
  ContractFactory,
  getCreateAddress,
  hexlify,
  JsonRpcProvider,
  Wallet,
  ZeroAddress,
  ZeroHash,
} from 'ethers';
import { ChallengeManagerAbi, ChallengeManagerInitCode } from '../../../contracts/generated/ChallengeManager.ts';
import { GuardianAbi, GuardianInitCode } from '../../../contracts/generated/Guardian.ts';
import { InboxAbi, InboxInitCode } from '../../../contracts/generated/Inbox.ts';
import { OpenStepVerifierAbi, OpenStepVerifierInitCode } from '../../../contracts/generated/OpenStepVerifier.ts';
import { OutboxAbi, OutboxInitCode } from '../../../contracts/generated/Outbox.ts';
import { RollupAbi, RollupInitCode } from '../../../contracts/generated/Rollup.ts';
import { SequencerInboxAbi, SequencerInboxInitCode } from '../../../contracts/generated/SequencerInbox.ts';
import { SystemConfigAbi, SystemConfigInitCode } from '../../../contracts/generated/SystemConfig.ts';
import { TimelockAbi, TimelockInitCode } from '../../../contracts/generated/Timelock.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { EMPTY_SEND_ROOT } from '../../../protocol/rollup/send-tree.ts';

const NAMES = ['timelock', 'inbox', 'systemConfig', 'sequencerInbox', 'guardian', 'rollup', 'outbox'] as const;
/** Only a network with a verifier has it. Whoever needs its address asks the Rollup's `challengeManagerOf`. */
const CHALLENGE_MANAGER = 'challengeManager';
type ContractName = (typeof NAMES)[number] | typeof CHALLENGE_MANAGER;

export interface L1Contracts extends Readonly<Record<(typeof NAMES)[number], Hex>> {
  readonly challengeManager?: Hex;
  /** The block before the first of the contracts: derivation starts after it. Timestamp in seconds. */
  readonly deployedAt: { readonly number: number; readonly hash: Hex; readonly timestamp: number };
}

export interface L1Transactor {
  readonly rpcUrl: string;
  /** secp256k1, 32 bytes. */
  readonly key: Uint8Array;
}

export interface DeploymentOptions {
  /** Posts batches. */
  readonly sequencer: Hex;
  /** Hash of L2's block 0: the first state that the Rollup believes. */
  readonly genesisHash: Hex;
  /** How assertions are disputed; without it rivals wait for a ChallengeManager (docs/design/0034-challenges.md). */
  readonly disputes?: DisputeRules;
}

/** By which machine, and by which verifier of one of its steps. */
export interface DisputeRules {
  /** A contract that is there already. */
  readonly verifier: Hex;
  /** Hash of what the machine must know of the chain (docs/design/0031), of which the last L1 block before the contracts is a part. */
  readonly machine: (deployedAt: bigint) => Hex;
  /** Hash of the empty machine with that image. */
  readonly core0: Hex;
}

const POLL_MS = 100;
const ETHER = 10n ** 18n;

/** A development network's waits: minutes where a public network has days (docs/design/0015-contracts-review.md). */
const DEVNET = { timelockS: 60, forceDelayS: 60, periodS: 30, intervalS: 10, stakeWei: ETHER } as const;

/** Deploys the L1 contracts. The deployer is the timelock's proposer, the steward, the guardian and the first validator. */
export async function deployL1Contracts(
  rpcUrl: string,
  deployerKey: Uint8Array,
  options: DeploymentOptions,
): Promise<L1Contracts> {
  return withWallet({ rpcUrl, key: deployerKey }, async (wallet, provider) => {
    const before = await provider.getBlock('latest');
    if (before?.hash == null) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'latest block' });
    const { number, hash, timestamp } = before;
    const first = await provider.getTransactionCount(wallet.address);
    // The contracts name each other, and none can be changed afterwards: their addresses are known before they exist.
    const names: readonly ContractName[] = options.disputes === undefined ? NAMES : [...NAMES, CHALLENGE_MANAGER];
    const entries = names.map((name, i) => [
      name,
      getCreateAddress({ from: wallet.address, nonce: first + i }).toLowerCase(),
    ]);
    const at = Object.fromEntries(entries) as Addresses;
    for (const name of names) {
      const [abi, code, args] = deployment(name, at, wallet.address, { ...options, deployedAt: BigInt(number) });
      const deployed = await new ContractFactory([...abi], code, wallet).deploy(...args);
      await deployed.waitForDeployment();
      if ((await deployed.getAddress()).toLowerCase() !== at[name]) {
        throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: `address of ${name}` });
      }
    }
    return { ...at, deployedAt: { number, hash: hash as Hex, timestamp } };
  });
}

type Addresses = Omit<L1Contracts, 'deployedAt'>;
type Deployment = readonly [abi: readonly object[], code: Hex, args: readonly unknown[]];

function deployment(
  name: ContractName,
  at: Addresses,
  deployer: string,
  { sequencer, genesisHash, disputes, deployedAt }: DeploymentOptions & { readonly deployedAt: bigint },
): Deployment {
  const { timelockS, forceDelayS, ...rollupConfig } = DEVNET;
  const config = {
    machine: disputes?.machine(deployedAt) ?? ZeroHash,
    core0: disputes?.core0 ?? ZeroHash,
    verifier: disputes?.verifier ?? ZeroAddress,
    challengeManager: at[CHALLENGE_MANAGER] ?? ZeroAddress,
    ...rollupConfig,
  };
  const genesis = { blockHash: genesisHash, sendRoot: EMPTY_SEND_ROOT, batch: 0, offset: 0 };
  const all: Record<ContractName, Deployment> = {
    timelock: [TimelockAbi, TimelockInitCode, [timelockS, [deployer]]],
    inbox: [InboxAbi, InboxInitCode, [at.outbox, at.systemConfig]],
    systemConfig: [
      SystemConfigAbi,
      SystemConfigInitCode,
      [at.timelock, deployer, at.inbox, sequencer, deployer, config],
    ],
    sequencerInbox: [SequencerInboxAbi, SequencerInboxInitCode, [at.systemConfig, at.inbox, forceDelayS]],
    guardian: [GuardianAbi, GuardianInitCode, [deployer, at.timelock, at.systemConfig]],
    rollup: [RollupAbi, RollupInitCode, [at.sequencerInbox, at.systemConfig, at.guardian, genesis]],
    outbox: [
      OutboxAbi,
      OutboxInitCode,
      [at.inbox, at.rollup, at.guardian, [at.sequencerInbox, at.systemConfig, at.timelock]],
    ],
    challengeManager: [ChallengeManagerAbi, ChallengeManagerInitCode, [at.rollup, at.timelock]],
  };
  return all[name];
}

/** Deploys the verifier that executes a step in Solidity. */
export function deployOpenStepVerifier(from: L1Transactor): Promise<Hex> {
  return withWallet(from, async (wallet) => {
    const verifier = await new ContractFactory([...OpenStepVerifierAbi], OpenStepVerifierInitCode, wallet).deploy();
    await verifier.waitForDeployment();
    return (await verifier.getAddress()).toLowerCase() as Hex;
  });
}

/** Deposits ETH from L1 to an L2 account. Resolves with the message's index once L1 has mined it. */
export async function depositEth(
  from: L1Transactor,
  deposit: { readonly inbox: Hex; readonly to: Hex; readonly amountWei: bigint },
): Promise<bigint> {
  return withWallet(from, async (wallet) => {
    const inbox = new Contract(deposit.inbox, [...InboxAbi], wallet);
    const sent = await inbox.getFunction('depositEth').send(deposit.to, { value: deposit.amountWei });
    const receipt = await sent.wait();
    const log = receipt?.logs.map((entry) => inbox.interface.parseLog(entry)).find((entry) => entry !== null);
    if (log == null) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'deposit receipt' });
    return log.args.getValue('index') as bigint;
  });
}

/** Sends from one L1 account and waits for its transactions; the connection ends with `use`. */
export async function withWallet<T>(
  from: L1Transactor,
  use: (wallet: Wallet, provider: JsonRpcProvider) => Promise<T>,
): Promise<T> {
  const provider = new JsonRpcProvider(from.rpcUrl, undefined, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = POLL_MS;
  try {
    return await use(new Wallet(hexlify(from.key), provider), provider);
  } finally {
    provider.destroy();
  }
}
