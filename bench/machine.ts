/**
 * ERC-20 transfers per CPU second through the machine (WebAssembly) and through the @ethereumjs transition, of the same batch, over
 * the same state in memory, in the same run: batch decoding, recovery of senders, execution with tries, receipts and headers.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BlockHeader } from '@ethereumjs/block';
import { createBlockHeader } from '@ethereumjs/block';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { Interface, SigningKey, Transaction } from 'ethers';
import { nativeCrypto } from '../appliance/rollup/execute/native-crypto.ts';
import { compileMachine } from '../machine/host/load.ts';
import { createMachine, type Machine } from '../machine/host/machine.ts';
import type { Hex } from '../protocol/brand.ts';
import { type BatchBlock, encodeBatch } from '../protocol/rollup/batch.ts';
import { encodeOrigin } from '../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../protocol/rollup/bytes.ts';
import { createRules } from '../protocol/rollup/rules.ts';
import { TestTokenAbi, TestTokenInitCode } from '../test/contracts/generated/TestToken.ts';
import { decodeBatch } from '../test/oracle/decode-batch.ts';
import { createMemoryState } from '../test/oracle/state-by-hash.ts';
import { transition } from '../test/oracle/transition.ts';
import { median, printTurns, round } from './figures.ts';

const CHAIN_ID = 6328270n;
const ACCOUNTS = 1_000;
const SIGNERS = 50;
const BLOCKS = 5;
const TRANSFERS_PER_BLOCK = 400;
const START_SECONDS = 1_700_000_000n;
const FEE_RECIPIENT: Hex = `0x${'fe'.repeat(20)}`;
const SUPPLY = 10n ** 30n;
const token = new Interface(TestTokenAbi as never);
const rules = createRules(CHAIN_ID, nativeCrypto);
const keys = Array.from({ length: SIGNERS }, (_, i) => new SigningKey(`0x${(i + 1).toString(16).padStart(64, '0')}`));
const nonces = keys.map(() => 0);

function addressOf(publicKey: Uint8Array): Hex {
  return bytesToHex(keccak_256(publicKey).subarray(12));
}

const addresses = keys.map((key) => addressOf(hexToBytes(key.publicKey as Hex).subarray(1)));
/** Accounts that hold the token before the measurement. */
const holders = Array.from(
  { length: ACCOUNTS },
  (_, i): Hex => `0x${(0xabcdef0000n + BigInt(i)).toString(16).padStart(40, '9')}`,
);

function sign(signer: number, to: Hex | null, data: string): Uint8Array {
  const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, gasLimit: to === null ? 3_000_000 : 100_000 };
  const tx = Transaction.from({ type: 2, chainId: CHAIN_ID, nonce: nonces[signer] ?? 0, ...fees, to, data });
  nonces[signer] = (nonces[signer] ?? 0) + 1;
  tx.signature = (keys[signer] as SigningKey).sign(tx.unsignedHash);
  return hexToBytes(tx.serialized as Hex);
}

function blockOf(index: number, transactions: Uint8Array[]): BatchBlock {
  const l1Origin = { number: 1n, hash: `0x${'ab'.repeat(32)}` as Hex };
  return { timestamp: START_SECONDS + BigInt(index + 1), l1Origin, delayedMessages: 0, transactions };
}

const inputOf = (block: BatchBlock) => ({ ...block, deposits: [], feeRecipient: FEE_RECIPIENT });

/** CPU seconds of this process for some work: what a clock says on a busy machine is no figure. */
async function cpuSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Recovers the senders of a block as the node does: natively, beside the machine. */
function recoverSenders(machine: Machine, transactions: readonly Uint8Array[]): (Hex | undefined)[] {
  return machine.signatures(transactions).map((signature) => {
    if (signature === undefined) return undefined;
    const key = nativeCrypto.recover?.(signature.digest, signature.rs, signature.yParity);
    return key && addressOf(key);
  });
}

export async function run(): Promise<void> {
  const wasm = readFileSync(new URL('../machine/generated/machine.wasm', import.meta.url));
  const module = compileMachine(wasm, (bytes) => createHash('sha256').update(bytes).digest('hex'));
  const stored = new Map<string, Uint8Array>();
  const machine = createMachine(
    module,
    { chainId: CHAIN_ID, fork: 'cancun', p256: false },
    {
      get: (kind, hash) => stored.get(kind + Buffer.from(hash).toString('latin1')),
    },
  );
  const keep = (fresh: ReturnType<Machine['executeBlock']>['fresh']): void => {
    for (const { kind, hash, bytes } of fresh) stored.set(kind + Buffer.from(hash).toString('latin1'), bytes);
  };

  const { root, fresh } = machine.buildState(
    addresses.map((address) => ({ address, nonce: 0n, balanceWei: 10n ** 24n, code: new Uint8Array(), storage: [] })),
  );
  keep(fresh);
  const state = createMemoryState();
  for (const { hash, bytes } of fresh) await state.put(bytesToHex(hash), bytes);
  const extraData = encodeOrigin({ number: 0n, delayedMessages: 0n });
  const fields = {
    number: 0n,
    gasLimit: 60_000_000n,
    baseFeePerGas: 1_000_000_000n,
    timestamp: START_SECONDS,
    stateRoot: root,
    extraData,
  };
  let oracle: BlockHeader = createBlockHeader(
    { ...fields, parentBeaconBlockRoot: new Uint8Array(32) },
    { common: rules },
  );
  let header = oracle.serialize();

  const step = async (block: BatchBlock): Promise<void> => {
    const built = machine.executeBlock(header, inputOf(block));
    if (built.dropped.length > 0) throw new Error(`dropped: ${built.dropped[0]?.obstacle}`);
    keep(built.fresh);
    const result = await transition(oracle, inputOf(block), { state, rules });
    if (result.hash !== built.hash) throw new Error('the machine and the transition differ');
    [header, oracle] = [built.header, result.header];
  };
  await step(blockOf(0, [sign(0, null, TestTokenInitCode + token.encodeDeploy([SUPPLY]).slice(2))]));
  const to = bytesToHex(keccak_256(hexToBytes(`0xd694${(addresses[0] as Hex).slice(2)}80`)).subarray(12));
  const give = (signer: number, recipient: Hex, amount: bigint) =>
    sign(signer, to, token.encodeFunctionData('transfer', [recipient, amount]));
  const grants = [...addresses.slice(1), ...holders].map((recipient) => give(0, recipient, 10n ** 20n));
  for (let i = 0; i * TRANSFERS_PER_BLOCK < grants.length; i += 1)
    await step(blockOf(1 + i, grants.slice(i * TRANSFERS_PER_BLOCK, (i + 1) * TRANSFERS_PER_BLOCK)));

  const recoveries: number[] = [];
  const [ours, peer, oursDecode, peerDecode]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let turn = 0; turn < BLOCKS; turn += 1) {
    const raws = Array.from({ length: TRANSFERS_PER_BLOCK }, (_, i) =>
      give(i % SIGNERS, holders[(i * 37 + turn * 11) % ACCOUNTS] as Hex, BigInt(i + 1)),
    );
    const batch = encodeBatch([blockOf(20 + turn, raws)]);
    let built: ReturnType<Machine['executeBlock']> | undefined;
    const decodeOurs = await cpuSeconds(() => machine.decodeBatch(batch));
    const decodePeer = await cpuSeconds(() => decodeBatch(batch));
    const recover = await cpuSeconds(() => recoverSenders(machine, raws));
    const all = await cpuSeconds(() => {
      const [block] = machine.decodeBatch(batch) ?? [];
      if (block === undefined) throw new Error('the batch does not decode');
      built = machine.executeBlock(header, { ...inputOf(block), senders: recoverSenders(machine, block.transactions) });
      keep(built.fresh);
    });
    recoveries.push((1e6 * recover) / TRANSFERS_PER_BLOCK);
    let hash: Hex | undefined;
    const theirs = await cpuSeconds(async () => {
      const [block] = decodeBatch(batch) ?? [];
      if (block === undefined) throw new Error('the batch does not decode');
      const result = await transition(oracle, inputOf(block), { state, rules });
      [oracle, hash] = [result.header, result.hash];
    });
    if (built?.hash !== hash) throw new Error('the machine and the transition differ');
    header = built?.header ?? header;
    ours.push(TRANSFERS_PER_BLOCK / all);
    peer.push(TRANSFERS_PER_BLOCK / theirs);
    oursDecode.push(TRANSFERS_PER_BLOCK / decodeOurs);
    peerDecode.push(TRANSFERS_PER_BLOCK / decodePeer);
  }
  const unit = 'transfers per CPU second';
  printTurns(
    { name: 'machine.replay', peerName: '@ethereumjs transition', unit },
    { ours, peer },
    { accounts: ACCOUNTS, recoveryMicroseconds: round(median(recoveries)) },
  );
  printTurns(
    { name: 'machine.decode', peerName: 'decodeBatch in TypeScript', unit },
    { ours: oursDecode, peer: peerDecode },
  );
}
