import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Contract, ZeroAddress } from 'ethers';
import { startDevnetL1, stopDevnetL1 } from '../../../cli/provision/process/devnet-l1.ts';
import {
  type DisputeRules,
  deployL1Contracts,
  type L1Contracts,
  withWallet,
} from '../../../cli/provision/process/l1-contracts.ts';
import { ChallengeManagerAbi } from '../../../contracts/generated/ChallengeManager.ts';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import { SystemConfigAbi } from '../../../contracts/generated/SystemConfig.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { freePort } from './test-network.ts';

const folder = await mkdtemp(join(tmpdir(), 'nectar-challenges-'));
const l1 = await startDevnetL1({ folder, port: await freePort(), blockTimeS: 1, stateIntervalS: 60 });
const { deployer, sequencer } = l1.accounts;

after(async () => {
  await stopDevnetL1(folder);
  await rm(folder, { recursive: true, force: true });
});

const MACHINE: Hex = `0x${'02'.repeat(32)}`;
const deploy = (disputes?: DisputeRules): Promise<L1Contracts> =>
  deployL1Contracts(l1.rpcUrl, deployer.key, {
    sequencer: sequencer.address,
    genesisHash: `0x${'01'.repeat(32)}`,
    ...(disputes !== undefined && { disputes }),
  });

/** Asks one view of a contract. */
const ask = (address: Hex, abi: readonly object[], name: string, ...args: readonly unknown[]): Promise<string> =>
  withWallet({ rpcUrl: l1.rpcUrl, key: deployer.key }, (wallet) =>
    new Contract(address, [...abi], wallet).getFunction(name)(...args),
  );

async function managerOf({ rollup }: L1Contracts): Promise<string> {
  const genesis = await ask(rollup, RollupAbi, 'latestConfirmed');
  return ask(rollup, RollupAbi, 'challengeManagerOf', genesis);
}

test('a network without a verifier has no ChallengeManager', async () => {
  const contracts = await deploy();
  assert.equal(contracts.challengeManager, undefined);
  assert.equal(await managerOf(contracts), ZeroAddress);
});

test('a network with a verifier is deployed with a ChallengeManager that its Rollup knows', async () => {
  const rules = {
    verifier: sequencer.address,
    machine: () => MACHINE,
    core0: `0x${'03'.repeat(32)}`,
  } as const;
  const contracts = await deploy(rules);
  const { challengeManager, rollup, systemConfig, timelock } = contracts;
  assert.ok(challengeManager !== undefined);
  assert.equal((await managerOf(contracts)).toLowerCase(), challengeManager);
  assert.equal((await ask(challengeManager, ChallengeManagerAbi, 'rollup')).toLowerCase(), rollup);
  assert.equal((await ask(challengeManager, ChallengeManagerAbi, 'timelock')).toLowerCase(), timelock);
  const genesis = await ask(rollup, RollupAbi, 'latestConfirmed');
  assert.equal((await ask(challengeManager, ChallengeManagerAbi, 'verifierOf', genesis)).toLowerCase(), rules.verifier);
  const config = await ask(systemConfig, SystemConfigAbi, 'rollupConfig', 0);
  assert.equal(config[0], MACHINE);
  assert.equal(config[1], rules.core0);
});
