import { join } from 'node:path';
import { Contract, type ContractTransactionReceipt, type Wallet } from 'ethers';
import {
  createJsonRpc,
  createSimulatedChain,
  createSimulatedProver,
  type SimulatedStake,
  type SimulatedTruth,
  type StepProver,
} from '../../appliance/rollup/index.ts';
import { RollupAbi } from '../../contracts/generated/Rollup.ts';
import { SequencerInboxAbi } from '../../contracts/generated/SequencerInbox.ts';
import { SystemConfigAbi } from '../../contracts/generated/SystemConfig.ts';
import type { Hex } from '../../protocol/brand.ts';
import type { GlobalState } from '../../protocol/dispute/global-state.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { type DevnetAccount, type DevnetL1, startDevnetL1, stopDevnetL1 } from '../provision/process/devnet-l1.ts';
import { findFreePort } from '../provision/process/free-port.ts';
import { deployL1Contracts, type L1Contracts, withWallet } from '../provision/process/l1-contracts.ts';
import { deployStepVerifiers, type StepVerifiers, type VerifierKind } from './step-verifiers.ts';

/** A development L1 with the real contracts, on which two stakes contradict each other about a block of transfers. */
export interface DisputedL1 {
  readonly chainId: bigint;
  readonly rollup: Hex;
  readonly sequencerInbox: Hex;
  readonly challengeManager: Hex;
  readonly genesisNode: Hex;
  readonly truth: SimulatedTruth;
  readonly verifiers: StepVerifiers;
  /** Undefined: the verifier wants no zk proof. */
  readonly prover: StepProver | undefined;
  readonly honest: SimulatedStake & { readonly address: Hex };
  readonly liar: SimulatedStake & { readonly address: Hex };
  readonly rpc: ReturnType<typeof createJsonRpc>;
  /** The last L1 block before the play. */
  readonly before: number;
}

const FIRST_PORT = 18_545;
const START_ATTEMPTS = 5;
const ETHER = 10n ** 18n;
/** A Rollup's first children may be made so long after it, on a development network. */
const INTERVAL_S = 15;
/** A peer's name, by which the two say that they can be reached; they are handed what is sent. */
const CONTACT = '/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf';
const RPC = { timeoutMs: 60_000, maxResponseBytes: 8 << 20 };

export async function openDisputedL1(
  {
    folder,
    transfers,
    verifier,
  }: { readonly folder: string; readonly transfers: number; readonly verifier: VerifierKind },
  signal: AbortSignal,
): Promise<DisputedL1> {
  const l1 = await startOnFreePort(folder);
  const rpc = createJsonRpc({ urls: [l1.rpcUrl], ...RPC });
  const { deployer, sequencer, faucet } = l1.accounts;
  const newest = (await rpc.call('eth_getBlockByNumber', ['latest', false], signal)) as { timestamp: Hex };
  const chain = createSimulatedChain(faucet, { transfers, timestamp: BigInt(newest.timestamp) });
  const prover = verifier === 'open' ? undefined : await createSimulatedProver(join(folder, 'srs'));
  const verifiers = await deployStepVerifiers(l1, verifier, await prover?.key(signal));
  signal.throwIfAborted();
  const contracts = await deployL1Contracts(l1.rpcUrl, deployer.key, {
    sequencer: sequencer.address,
    genesisHash: chain.genesis.blockHash,
    disputes: { verifier: verifiers.named, machine: chain.machineConfig, core0: chain.core0 },
  });
  const { rollup, sequencerInbox, challengeManager, deployedAt } = contracts;
  if (challengeManager === undefined) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'ChallengeManager' });
  signal.throwIfAborted();
  const at = { number: BigInt(deployedAt.number), hash: deployedAt.hash, timestamp: BigInt(deployedAt.timestamp) };
  const data = chain.batchFor(at);
  const block = await postBatch(l1, contracts, data);
  const accumulatorOf = async (batch: bigint): Promise<Hex> =>
    withWallet({ rpcUrl: l1.rpcUrl, key: sequencer.key }, (wallet) =>
      new Contract(sequencerInbox, [...SequencerInboxAbi], wallet).getFunction('accumulator')(batch),
    );
  const truth = await chain.truthOf({ deployedAt: at, data, block, rpc, accumulatorOf });
  const lie = { ...truth.state, blockHash: LIE };
  await admit(l1, contracts, faucet);
  await rpc.call('evm_increaseTime', [INTERVAL_S], signal);
  const sides = { honest: { account: deployer, state: truth.state }, liar: { account: faucet, state: lie } };
  const { genesisNode, honest, liar } = await assertBoth(l1, rollup, sides);
  const before = Number(await rpc.call('eth_blockNumber', [], signal));
  const places = { rollup, sequencerInbox, challengeManager, genesisNode };
  return { chainId: l1.chainId, ...places, truth, verifiers, prover, honest, liar, rpc, before };
}

/** Ends the L1 of a folder, whether it has begun or not. */
export async function closeDisputedL1(folder: string): Promise<void> {
  await stopDevnetL1(folder);
}

/** Another program may take a port between the look at it and the start. */
async function startOnFreePort(folder: string): Promise<DevnetL1> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const port = await findFreePort(FIRST_PORT);
      return await startDevnetL1({ folder, port, blockTimeS: 1, stateIntervalS: 600 });
    } catch (error) {
      const isTaken = isNectarError(error, 'CLI_DEVNET_PORT_TAKEN') || isNectarError(error, 'ROLLUP_L1_NOT_STARTED');
      if (!isTaken || attempt === START_ATTEMPTS) throw error;
    }
  }
}

const LIE: Hex = `0x${'66'.repeat(32)}`;

/** @returns the block that took it */
function postBatch({ rpcUrl, accounts }: DevnetL1, { sequencerInbox }: L1Contracts, data: Uint8Array): Promise<bigint> {
  return withWallet({ rpcUrl, key: accounts.sequencer.key }, async (wallet) => {
    const inbox = new Contract(sequencerInbox, [...SequencerInboxAbi], wallet);
    const sent = await inbox.getFunction('addBatch').send(0, data, 0);
    const receipt = (await sent.wait()) as ContractTransactionReceipt | null;
    if (receipt === null) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'batch receipt' });
    return BigInt(receipt.blockNumber);
  });
}

function admit({ rpcUrl, accounts }: DevnetL1, { systemConfig }: L1Contracts, liar: DevnetAccount): Promise<void> {
  return withWallet({ rpcUrl, key: accounts.deployer.key }, async (wallet) => {
    const config = new Contract(systemConfig, [...SystemConfigAbi], wallet);
    await (await config.getFunction('addValidator').send(liar.address)).wait();
  });
}

interface Side {
  readonly account: DevnetAccount;
  readonly state: GlobalState;
}

async function assertBoth(
  { rpcUrl }: DevnetL1,
  rollup: Hex,
  { honest, liar }: { readonly honest: Side; readonly liar: Side },
) {
  const using = <T>({ account }: Side, use: (of: Contract, wallet: Wallet) => Promise<T>): Promise<T> =>
    withWallet({ rpcUrl, key: account.key }, (wallet) => use(new Contract(rollup, [...RollupAbi], wallet), wallet));
  const genesisNode = await using(honest, async (of) => (await of.getFunction('latestConfirmed')()) as Hex);
  const stake = (side: Side): Promise<bigint> =>
    using(side, async (of, { address }) => {
      const stakeId = (await of.getFunction('stakeCount')()) as bigint;
      await (await of.getFunction('newStake').send(address, { value: ETHER })).wait();
      return stakeId;
    });
  const ids = [await stake(honest), await stake(liar)] as const;
  const create = (side: Side, stakeId: bigint): Promise<SimulatedStake & { readonly address: Hex }> =>
    using(side, async (of) => {
      const what = [stakeId, genesisNode, side.state, CONTACT] as const;
      const nodeId = (await of.getFunction('create').staticCall(...what)) as Hex;
      await (await of.getFunction('create').send(...what)).wait();
      return { ...side.account, stakeId, nodeId, state: side.state };
    });
  // Both at once: the second may come no later than a period of some seconds.
  const [one, other] = await Promise.all([create(honest, ids[0]), create(liar, ids[1])]);
  return { genesisNode, honest: one, liar: other };
}
