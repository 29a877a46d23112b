/**
 * ERC-20 transfers replayed per second by the whole import (decode the batch, parse, recover senders, execute, commit the tries,
 * seal and persist) against bare @ethereumjs/evm calls of the same transfers, over a state without tries, in the same run.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEVM } from '@ethereumjs/evm';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { Account, type Address, createAddressFromString } from '@ethereumjs/util';
import { Interface, SigningKey, Transaction } from 'ethers';
import { createBlockRunner } from '../appliance/rollup/execute/block-runner.ts';
import { createChainDatabase } from '../appliance/rollup/execute/chain-database.ts';
import { createExecutor, type Executor } from '../appliance/rollup/execute/executor.ts';
import { loadMachine } from '../appliance/rollup/execute/machine-file.ts';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import { createSealer } from '../appliance/rollup/execute/sealer.ts';
import { AuditAnchorInitCode } from '../contracts/generated/AuditAnchor.ts';
import { MessengerInitCode } from '../contracts/generated/Messenger.ts';
import { NodeRegistryInitCode } from '../contracts/generated/NodeRegistry.ts';
import { RecordRegistryInitCode } from '../contracts/generated/RecordRegistry.ts';
import type { Hex } from '../protocol/brand.ts';
import { BATCH_LIMITS, type BatchBlock, decodeBatch, encodeBatch } from '../protocol/rollup/batch.ts';
import { hexToBytes } from '../protocol/rollup/bytes.ts';
import { buildGenesis, type Genesis } from '../protocol/rollup/genesis.ts';
import { createRules, type Rules } from '../protocol/rollup/rules.ts';
import { TestTokenAbi, TestTokenInitCode } from '../test/contracts/generated/TestToken.ts';

const CHAIN_ID = 6328270n;
const SENDERS = 50;
const BLOCKS = 6;
const TRANSFERS_PER_BLOCK = 400;
const GENESIS_SECONDS = 1_700_000_000n;
const FEE_RECIPIENT: Hex = `0x${'fe'.repeat(20)}`;
const SUPPLY = 10n ** 30n;
const token = new Interface(TestTokenAbi as never);

interface Sender {
  readonly key: SigningKey;
  readonly address: Hex;
}

/** One transfer: from sender `from` to account `to`, an amount. */
interface Transfer {
  readonly from: number;
  readonly to: Hex;
  readonly amount: bigint;
}

function createSenders(): Sender[] {
  return Array.from({ length: SENDERS }, (_, i) => {
    const key = new SigningKey(`0x${(i + 1).toString(16).padStart(64, '0')}`);
    const unsigned = Transaction.from({ type: 2, chainId: CHAIN_ID });
    unsigned.signature = key.sign(unsigned.unsignedHash);
    return { key, address: unsigned.from?.toLowerCase() as Hex };
  });
}

function sign(sender: Sender, nonce: number, fields: { to: Hex | null; data: string; gasLimit: number }): Uint8Array {
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n };
  const tx = Transaction.from({ type: 2, chainId: CHAIN_ID, nonce, ...fees, ...fields });
  tx.signature = sender.key.sign(tx.unsignedHash);
  return hexToBytes(tx.serialized as Hex);
}

/** Transfers to a mix of senders and accounts never seen before, as on a live network. */
function createTransfers(senders: readonly Sender[]): Transfer[] {
  return Array.from({ length: BLOCKS * TRANSFERS_PER_BLOCK }, (_, i) => {
    const known = senders[(i * 7 + 3) % SENDERS]?.address ?? FEE_RECIPIENT;
    const unknown: Hex = `0x${(0xabcdef0000n + BigInt(i)).toString(16).padStart(40, '9')}`;
    return { from: i % SENDERS, to: i % 4 === 0 ? unknown : known, amount: BigInt((i * 7919) % 1_000_003) + 1n };
  });
}

function blockOf(index: number, transactions: Uint8Array[]): BatchBlock {
  const l1Origin = { number: 1n, hash: `0x${'ab'.repeat(32)}` as Hex };
  return { timestamp: GENESIS_SECONDS + BigInt(index + 1), l1Origin, delayedMessages: 0, transactions };
}

/** Deploys the token and gives every sender some of it; returns the token's address and the next nonces. */
async function prepare(executor: Executor, senders: readonly Sender[]): Promise<{ address: Hex; nonces: number[] }> {
  const [owner] = senders;
  if (owner === undefined) throw new RangeError('no senders');
  const creation = TestTokenInitCode + token.encodeDeploy([SUPPLY]).slice(2);
  const input = (index: number, raws: Uint8Array[]) => ({
    ...blockOf(index, raws),
    deposits: [],
    feeRecipient: FEE_RECIPIENT,
  });
  const { receipts } = await executor.build(
    input(0, [sign(owner, 0, { to: null, data: creation, gasLimit: 3_000_000 })]),
  );
  const address = receipts[0]?.contractAddress;
  if (address === undefined) throw new RangeError('the token was not deployed');
  const grants = senders.map((sender, i) => {
    const data = token.encodeFunctionData('transfer', [sender.address, SUPPLY / 1000n]);
    return sign(owner, i + 1, { to: address, data, gasLimit: 100_000 });
  });
  await executor.build(input(0, grants));
  await executor.setHeads({ safe: 2n });
  return { address, nonces: senders.map((_, i) => (i === 0 ? SENDERS + 1 : 0)) };
}

async function openChain(
  path: string,
  rules: Rules,
  senders: readonly Sender[],
): Promise<{ executor: Executor; genesis: Genesis }> {
  const alloc = senders.map(({ address }) => ({ address, balanceWei: 10n ** 24n }));
  const genesis = await buildGenesis(
    {
      l2ChainId: CHAIN_ID,
      timestamp: GENESIS_SECONDS,
      gasLimit: 100_000_000n,
      auditors: [FEE_RECIPIENT],
      ejectionQuorum: 1,
      alloc,
      feeRecipient: FEE_RECIPIENT,
    },
    {
      nodeRegistry: NodeRegistryInitCode,
      recordRegistry: RecordRegistryInitCode,
      auditAnchor: AuditAnchorInitCode,
      messenger: MessengerInitCode,
    },
    rules,
  );
  const databaseKey = randomBytes(32);
  const sealer = createSealer(databaseKey, randomBytes);
  const database = createChainDatabase({ path, databaseKey, cacheBytes: 64 << 20, durable: false }, { sealer, rules });
  const runner = createBlockRunner({
    module: loadMachine(),
    machineRules: { chainId: CHAIN_ID, fork: 'cancun', p256: false },
    rules,
    database: { path, databaseKey, cacheBytes: 64 << 20 },
  });
  const executor = createExecutor({ database, genesis, rules, runner });
  await executor.open();
  return { executor, genesis };
}

interface Figures {
  readonly perSecond: number;
  readonly bytesPerTransfer: number;
}

/** The whole import, from the batch's bytes to the database. */
async function measureImport(executor: Executor, batches: readonly Uint8Array[]): Promise<Figures> {
  const total = BLOCKS * TRANSFERS_PER_BLOCK;
  const start = process.hrtime.bigint();
  for (const batch of batches) {
    for (const block of decodeBatch(batch) ?? []) {
      const { dropped } = await executor.appendSafe({ ...block, deposits: [], feeRecipient: FEE_RECIPIENT });
      if (dropped.length > 0) throw new RangeError(`${dropped.length} transfers were dropped`);
    }
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);
  if (executor.heads().safe.number !== BigInt(BLOCKS + 2)) throw new RangeError('not every block was imported');
  return { perSecond: total / seconds, bytesPerTransfer: bytes / total };
}

/** Bare EVM calls: no transactions, signatures, tries or disk. */
async function measureBare(rules: Rules, senders: readonly Sender[], transfers: readonly Transfer[]): Promise<number> {
  const stateManager = new SimpleStateManager({ common: rules });
  const evm = await createEVM({ common: rules, stateManager });
  for (const { address } of senders)
    await stateManager.putAccount(createAddressFromString(address), new Account(0n, 10n ** 24n));
  const caller = createAddressFromString(senders[0]?.address ?? FEE_RECIPIENT);
  const creation = hexToBytes(`${TestTokenInitCode}${token.encodeDeploy([SUPPLY]).slice(2)}`);
  const { createdAddress } = await evm.runCall({ caller, data: creation, gasLimit: 3_000_000n });
  if (createdAddress === undefined) throw new RangeError('the token was not deployed');
  const dataOf = (to: Hex, amount: bigint): Uint8Array =>
    hexToBytes(token.encodeFunctionData('transfer', [to, amount]) as Hex);
  const call = async (from: Address, data: Uint8Array): Promise<void> => {
    const { execResult } = await evm.runCall({ caller: from, to: createdAddress, data, gasLimit: 100_000n });
    if (execResult.exceptionError !== undefined) throw new RangeError('a bare transfer failed');
    await evm.journal.cleanup();
  };
  for (const { address } of senders) await call(caller, dataOf(address, SUPPLY / 1000n));
  const addresses = senders.map(({ address }) => createAddressFromString(address));
  const calls = transfers.map(({ from, to, amount }) => ({
    from: addresses[from] ?? caller,
    data: dataOf(to, amount),
  }));
  const start = process.hrtime.bigint();
  for (const { from, data } of calls) await call(from, data);
  return transfers.length / (Number(process.hrtime.bigint() - start) / 1e9);
}

/** Runs both and prints one JSON line. */
export async function run(): Promise<void> {
  const senders = createSenders();
  const transfers = createTransfers(senders);
  const path = await mkdtemp(join(tmpdir(), 'nectar-bench-chain-'));
  const rules = createRules(CHAIN_ID, nativeCrypto);
  const { executor } = await openChain(path, rules, senders);
  try {
    const { address, nonces } = await prepare(executor, senders);
    const raws = transfers.map(({ from, to, amount }) => {
      const nonce = nonces[from] ?? 0;
      nonces[from] = nonce + 1;
      const data = token.encodeFunctionData('transfer', [to, amount]);
      return sign(senders[from] as Sender, nonce, { to: address, data, gasLimit: 100_000 });
    });
    const batches = Array.from({ length: BLOCKS }, (_, i) => {
      const batch = encodeBatch([blockOf(i, raws.slice(i * TRANSFERS_PER_BLOCK, (i + 1) * TRANSFERS_PER_BLOCK))]);
      if (batch.length > BATCH_LIMITS.maxBytes) throw new RangeError('a batch is too large');
      return batch;
    });
    // Both warm up on what they measure: the slow start is in both figures.
    const ours = await measureImport(executor, batches);
    const peer = await measureBare(rules, senders, transfers);
    const line = {
      name: 'chain',
      ours: Math.round(ours.perSecond),
      peer: Math.round(peer),
      peerName: '@ethereumjs/evm bare calls without a trie',
      ratio: Number((ours.perSecond / peer).toFixed(3)),
      unit: 'ERC-20 transfers/s',
      l1BytesPerTransfer: Number(ours.bytesPerTransfer.toFixed(1)),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await executor.close();
    await rm(path, { recursive: true, force: true });
  }
}
