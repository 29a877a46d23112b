import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { createInlineCalls, type InlineCalls } from '../../../../../appliance/rollup/evm/inline-calls.ts';
import { type BlockRunner, createBlockRunner } from '../../../../../appliance/rollup/execute/block-runner.ts';
import type { StartBlockThread } from '../../../../../appliance/rollup/execute/block-thread.ts';
import { createChainDatabase } from '../../../../../appliance/rollup/execute/chain-database.ts';
import { createExecutor, type Executor } from '../../../../../appliance/rollup/execute/executor.ts';
import { loadMachine } from '../../../../../appliance/rollup/execute/machine-file.ts';
import { nativeCrypto } from '../../../../../appliance/rollup/execute/native-crypto.ts';
import { createSealer } from '../../../../../appliance/rollup/execute/sealer.ts';
import { AuditAnchorInitCode } from '../../../../../contracts/generated/AuditAnchor.ts';
import { MessengerInitCode } from '../../../../../contracts/generated/Messenger.ts';
import { NodeRegistryInitCode } from '../../../../../contracts/generated/NodeRegistry.ts';
import { RecordRegistryInitCode } from '../../../../../contracts/generated/RecordRegistry.ts';
import { StorageDealsInitCode } from '../../../../../contracts/generated/StorageDeals.ts';
import { createGenesisMachine } from '../../../../../machine/host/genesis-machine.ts';
import { createMachine, type MachineRules } from '../../../../../machine/host/machine.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import type { BlockInput } from '../../../../../protocol/rollup/block-input.ts';
import { hexToBytes } from '../../../../../protocol/rollup/bytes.ts';
import { buildGenesis, type Genesis, type GenesisParams } from '../../../../../protocol/rollup/genesis.ts';
import { createRules, type Rules } from '../../../../../protocol/rollup/rules.ts';

export const CHAIN_ID = 6328270n;
export const ETHER = 10n ** 18n;
export const GWEI = 10n ** 9n;
export const FEE_RECIPIENT: Hex = `0x${'fe'.repeat(20)}`;
/** Test accounts: keys that guard nothing. */
export const alice = new Wallet(`0x${'11'.repeat(32)}`);
export const bob = new Wallet(`0x${'22'.repeat(32)}`);
export const rules = createRules(CHAIN_ID, nativeCrypto);
export const MACHINE_RULES: MachineRules = { chainId: CHAIN_ID, fork: 'cancun', p256: false };

export function addressOf(wallet: { address: string }): Hex {
  return wallet.address.toLowerCase() as Hex;
}

export const GENESIS: GenesisParams = {
  l2ChainId: CHAIN_ID,
  timestamp: 1_700_000_000n,
  gasLimit: 30_000_000n,
  auditors: [addressOf(bob)],
  ejectionQuorum: 1,
  alloc: [
    { address: addressOf(alice), balanceWei: 1000n * ETHER },
    { address: addressOf(bob), balanceWei: ETHER },
  ],
  feeRecipient: FEE_RECIPIENT,
};

export const PREDEPLOY_CODE = {
  nodeRegistry: NodeRegistryInitCode,
  recordRegistry: RecordRegistryInitCode,
  auditAnchor: AuditAnchorInitCode,
  messenger: MessengerInitCode,
  storageDeals: StorageDealsInitCode,
} as const;

export async function testGenesis(): Promise<Genesis> {
  return genesisBy(GENESIS, rules);
}

/** The genesis of a test network by the machine, under the fork of `by`. */
export function genesisBy(params: GenesisParams, by: Rules): Genesis {
  const fork = by.hardfork() as MachineRules['fork'];
  const machineRules = { chainId: by.chainId(), fork, p256: by.isActivatedEIP(7951) };
  const machine = createGenesisMachine(createMachine(loadMachine(), machineRules, { get: () => undefined }));
  return buildGenesis(params, PREDEPLOY_CODE, { rules: by, machine });
}

/** A signed EIP-1559 transfer. */
export async function transfer(
  wallet: Wallet,
  nonce: number,
  fields: { to?: Hex | null; value?: bigint; data?: string } = {},
) {
  const { to = `0x${'cd'.repeat(20)}`, value = 1n, data = '0x' } = fields;
  const raw = await wallet.signTransaction({
    type: 2,
    chainId: CHAIN_ID,
    nonce,
    gasLimit: to === null || data !== '0x' ? 3_000_000 : 21_000,
    maxFeePerGas: 2n * GWEI,
    maxPriorityFeePerGas: 1n,
    to,
    value,
    data,
  });
  return hexToBytes(raw as Hex);
}

/** The inputs of a block with these transactions, `seconds` after genesis. */
export function input(seconds: number, transactions: Uint8Array[] = [], more: Partial<BlockInput> = {}): BlockInput {
  return {
    timestamp: GENESIS.timestamp + BigInt(seconds),
    l1Origin: { number: 7n, hash: `0x${'ab'.repeat(32)}` },
    delayedMessages: 0,
    deposits: [],
    feeRecipient: FEE_RECIPIENT,
    transactions,
    ...more,
  };
}

export interface TestChain extends AsyncDisposable {
  readonly genesis: Genesis;
  readonly path: string;
  executor: Executor;
  runner: BlockRunner;
  database: ReturnType<typeof createChainDatabase>;
  /** The EVM on this thread over the same database. */
  evm: InlineCalls;
  /** Opens the same database again, as a new process would. */
  reopen(): Promise<void>;
}

/** A chain in a temporary folder, or in the one that is given; removed on disposal. */
export async function openChain(
  databaseKey: Uint8Array = new Uint8Array(32).fill(7),
  folder?: string,
  start?: StartBlockThread,
): Promise<TestChain> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), 'nectar-chain-')));
  const genesis = await testGenesis();
  const create = () => {
    const sealer = createSealer(databaseKey, randomBytes);
    const database = createChainDatabase({ path, databaseKey, cacheBytes: 1 << 20, durable: false }, { sealer, rules });
    const shared = { path, databaseKey, cacheBytes: 1 << 20 };
    const machine = { module: loadMachine(), machineRules: MACHINE_RULES, rules };
    const runner = createBlockRunner({ ...machine, database: shared, ...(start && { start }) });
    const evm = createInlineCalls(machine, shared);
    return { database, runner, evm, executor: createExecutor({ database, genesis, rules, runner }) };
  };
  const chain: TestChain = {
    genesis,
    path,
    ...create(),
    async reopen() {
      await chain.evm.release();
      await chain.executor.close();
      Object.assign(chain, create());
      await chain.executor.open();
    },
    async [Symbol.asyncDispose]() {
      await chain.evm.release();
      await chain.executor.close();
      await rm(path, { recursive: true, force: true });
    },
  };
  await chain.executor.open();
  return chain;
}
