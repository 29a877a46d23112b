import { Contract, ContractFactory, type Wallet } from 'ethers';
import { startDevnetL1, stopDevnetL1 } from '../../../cli/provision/process/devnet-l1.ts';
import { deployL1Contracts, withWallet } from '../../../cli/provision/process/l1-contracts.ts';
import { ChallengeManagerAbi, ChallengeManagerInitCode } from '../../../contracts/generated/ChallengeManager.ts';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import { SequencerInboxAbi } from '../../../contracts/generated/SequencerInbox.ts';
import { SystemConfigAbi } from '../../../contracts/generated/SystemConfig.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { GlobalState } from '../../../protocol/dispute/global-state.ts';
import { ETHER, freePort } from './test-network.ts';

/** A verifier that says yes to everything: what a proof is worth is not tried here. */
const YES_VERIFIER = '0x600a600c600039600a6000f3600160005260206000f3';
const CORE_DIGITS = 64;
/** Where each of the two says that it is reached. */
export const CONTACT = '/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf';

export interface Staker {
  readonly key: Uint8Array;
  readonly address: Hex;
  readonly stakeId: bigint;
  readonly nodeId: Hex;
}

/** The real contracts on anvil, with two stakers who assert different things of the first batch. */
export interface ChallengedL1 {
  readonly rpcUrl: string;
  readonly chainId: bigint;
  readonly rollup: Hex;
  readonly sequencerInbox: Hex;
  readonly challengeManager: Hex;
  readonly genesisNode: Hex;
  readonly honest: Staker;
  readonly liar: Staker;
  rpc<T>(method: string, params?: readonly unknown[]): Promise<T>;
  stop(): Promise<void>;
}

export interface ChallengedL1Options {
  readonly folder: string;
  readonly core0: bigint;
  readonly genesisHash: Hex;
  readonly truth: GlobalState;
  readonly lie: GlobalState;
}

export async function createChallengedL1(options: ChallengedL1Options): Promise<ChallengedL1> {
  const { folder, core0, genesisHash } = options;
  const l1 = await startDevnetL1({ folder, port: await freePort(), blockTimeS: 1 });
  const { deployer, sequencer, faucet } = l1.accounts;
  const contracts = await deployL1Contracts(l1.rpcUrl, deployer.key, { sequencer: sequencer.address, genesisHash });
  const rpc = async <T>(method: string, params: readonly unknown[] = []): Promise<T> =>
    withWallet(
      { rpcUrl: l1.rpcUrl, key: deployer.key },
      async (_, provider) => provider.send(method, [...params]) as Promise<T>,
    );

  const challengeManager = await withWallet({ rpcUrl: l1.rpcUrl, key: deployer.key }, async (wallet) => {
    const verifier = await new ContractFactory([], YES_VERIFIER, wallet).deploy();
    const manager = await new ContractFactory([...ChallengeManagerAbi], ChallengeManagerInitCode, wallet).deploy(
      contracts.rollup,
      contracts.timelock,
    );
    await manager.waitForDeployment();
    const address = (await manager.getAddress()).toLowerCase() as Hex;
    const config = new Contract(contracts.systemConfig, [...SystemConfigAbi], wallet);
    const before = (await config.getFunction('rollupConfig')(0)).toObject() as Record<string, unknown>;
    const core = `0x${core0.toString(16).padStart(CORE_DIGITS, '0')}`;
    const next = { ...before, core0: core, verifier: await verifier.getAddress(), challengeManager: address };
    await rpc('anvil_impersonateAccount', [contracts.timelock]);
    await rpc('anvil_setBalance', [contracts.timelock, '0xde0b6b3a7640000']);
    const data = config.interface.encodeFunctionData('setRollupConfig', [next]);
    await rpc('eth_sendTransaction', [{ from: contracts.timelock, to: contracts.systemConfig, data }]);
    await (await config.getFunction('addValidator').send(faucet.address)).wait();
    return address;
  });
  await withWallet({ rpcUrl: l1.rpcUrl, key: sequencer.key }, async (wallet) => {
    const inbox = new Contract(contracts.sequencerInbox, [...SequencerInboxAbi], wallet);
    await (await inbox.getFunction('addBatch').send(0, '0x00', 0)).wait();
  });
  await rpc('evm_increaseTime', [15]);

  const asRollup = <T>(key: Uint8Array, use: (rollup: Contract, wallet: Wallet) => Promise<T>): Promise<T> =>
    withWallet({ rpcUrl: l1.rpcUrl, key }, (wallet) =>
      use(new Contract(contracts.rollup, [...RollupAbi], wallet), wallet),
    );
  const genesisNode = await asRollup(deployer.key, async (of) => (await of.getFunction('latestConfirmed')()) as Hex);
  const stakeIds = [await asRollup(deployer.key, addStake), await asRollup(faucet.key, addStake)] as const;
  // Both at once: the second may come no later than a period of some seconds.
  const [honestNode, liarNode] = await Promise.all([
    asRollup(deployer.key, (of) => assertState(of, [stakeIds[0], genesisNode, options.truth])),
    asRollup(faucet.key, (of) => assertState(of, [stakeIds[1], genesisNode, options.lie])),
  ]);
  const honest = { ...deployer, stakeId: stakeIds[0], nodeId: honestNode };
  const liar = { ...faucet, stakeId: stakeIds[1], nodeId: liarNode };
  const { rollup, sequencerInbox } = contracts;
  return {
    rpcUrl: l1.rpcUrl,
    chainId: l1.chainId,
    rollup,
    sequencerInbox,
    challengeManager,
    genesisNode,
    honest,
    liar,
    rpc,
    stop: () => stopDevnetL1(folder),
  };
}

async function addStake(rollup: Contract, wallet: Wallet): Promise<bigint> {
  const stakeId = (await rollup.getFunction('stakeCount')()) as bigint;
  await (await rollup.getFunction('newStake').send(wallet.address, { value: ETHER })).wait();
  return stakeId;
}

async function assertState(rollup: Contract, what: readonly [bigint, Hex, GlobalState]): Promise<Hex> {
  const nodeId = (await rollup.getFunction('create').staticCall(...what, CONTACT)) as Hex;
  await (await rollup.getFunction('create').send(...what, CONTACT)).wait();
  return nodeId;
}
