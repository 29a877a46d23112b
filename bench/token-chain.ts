/** A chain whose state has a token and its holders from the first block on, and transfers between them: for benchmarks of replay. */
import { createBlock } from '@ethereumjs/block';
import { createAddressFromString } from '@ethereumjs/util';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { Interface, Transaction } from 'ethers';
import { pointFromScalar, signRecoverable } from 'tiny-secp256k1';
import { loadMachine } from '../appliance/rollup/execute/machine-file.ts';
import { createMachine } from '../machine/host/machine.ts';
import type { Hex } from '../protocol/brand.ts';
import type { BatchBlock } from '../protocol/rollup/batch.ts';
import { encodeOrigin } from '../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../protocol/rollup/bytes.ts';
import { NEW_NETWORK_FORK } from '../protocol/rollup/fork.ts';
import type { Genesis } from '../protocol/rollup/genesis.ts';
import { addressOfKey } from '../protocol/rollup/key-address.ts';
import { NO_REQUESTS_HASH, type Rules } from '../protocol/rollup/rules.ts';
import { TestTokenAbi, TestTokenInitCode } from '../test/contracts/generated/TestToken.ts';

export const CHAIN_ID = 6328270n;
export const FEE_RECIPIENT: Hex = `0x${'fe'.repeat(20)}`;
export const SUPPLY = 10n ** 30n;
/** Of the token, of each holder. */
export const BALANCE = 10n ** 20n;
export const token = new Interface(TestTokenAbi as never);
const TOKEN: Hex = `0x${'70'.repeat(20)}`;
const GENESIS_SECONDS = 1_700_000_000n;
/** Holders that sign; the others only receive, for a key costs more to make than an address. */
const MAX_SIGNERS = 2_000;

interface Signer {
  readonly key: Uint8Array;
  readonly address: Hex;
}

export interface Holders {
  readonly signers: readonly Signer[];
  /** The signers' addresses first. */
  readonly addresses: readonly Hex[];
}

export interface Transfer {
  readonly from: Hex;
  readonly signer: number;
  readonly to: Hex;
  readonly amount: bigint;
}

export function createHolders(accounts: number): Holders {
  const signers = Array.from({ length: Math.min(accounts, MAX_SIGNERS) }, (_, i): Signer => {
    const key = hexToBytes(`0x${(i + 1).toString(16).padStart(64, '0')}`);
    const point = pointFromScalar(key, false);
    if (point === null) throw new RangeError('not a key');
    return { key, address: bytesToHex(addressOfKey(point.subarray(1))) };
  });
  const others = Array.from({ length: accounts - signers.length }, (_, i) =>
    bytesToHex(keccak_256(hexToBytes(`0x${i.toString(16).padStart(8, '0')}`)).subarray(12)),
  );
  return { signers, addresses: [...signers.map(({ address }) => address), ...others] };
}

/** As many amounts are transferred, one as often as another. */
export const AMOUNTS = 1_000_003;

/** Each from another signer to a holder, neighbours in no order that the trie knows. */
export function createTransfers({ signers, addresses }: Holders, count: number): Transfer[] {
  return Array.from({ length: count }, (_, i) => {
    const signer = (i * 7_919) % signers.length;
    const to = addresses[(i * 104_729 + 17) % addresses.length] ?? FEE_RECIPIENT;
    return { from: signers[signer]?.address ?? FEE_RECIPIENT, signer, to, amount: BigInt((i * 7919) % AMOUNTS) + 1n };
  });
}

export function signTransfers({ signers }: Holders, transfers: readonly Transfer[]): Uint8Array[] {
  const nonces = signers.map(() => 0);
  return transfers.map(({ signer, to, amount }) => {
    const nonce = nonces[signer] ?? 0;
    nonces[signer] = nonce + 1;
    const fees = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, gasLimit: 100_000 };
    const data = token.encodeFunctionData('transfer', [to, amount]);
    const tx = Transaction.from({ type: 2, chainId: CHAIN_ID, nonce, ...fees, to: TOKEN, data });
    const { signature, recoveryId } = signRecoverable(
      hexToBytes(tx.unsignedHash as Hex),
      signers[signer]?.key ?? new Uint8Array(32),
    );
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map(bytesToHex);
    tx.signature = { r: r ?? '0x', s: s ?? '0x', yParity: recoveryId === 0 ? 0 : 1 };
    return hexToBytes(tx.serialized as Hex);
  });
}

/** The L1 block on which all blocks stand. */
export const ORIGIN = { number: 1n, hash: `0x${'ab'.repeat(32)}` as Hex, timestamp: GENESIS_SECONDS };

export function blockOf(index: number, transactions: readonly Uint8Array[]): BatchBlock {
  const { number, hash } = ORIGIN;
  return {
    timestamp: GENESIS_SECONDS + BigInt(index + 1),
    l1Origin: { number, hash },
    delayedMessages: 0,
    transactions: [...transactions],
  };
}

/** Where OpenZeppelin's ERC20 keeps a balance: its first mapping, at slot 0. */
function balanceSlot(holder: Hex): bigint {
  return BigInt(bytesToHex(keccak_256(hexToBytes(`0x${holder.slice(2).padStart(64, '0')}${'0'.repeat(64)}`))));
}

/** What the creation code leaves as the contract's: everything after its constructor, as the compiler lays it out. */
function runtimeCode(rules: Rules): Uint8Array {
  const preimages = new Map<string, Uint8Array>();
  const machine = createMachine(
    loadMachine(),
    { chainId: CHAIN_ID, ...NEW_NETWORK_FORK },
    { get: (_kind, hash) => preimages.get(bytesToHex(hash)) },
  );
  const { root, fresh } = machine.buildState([]);
  for (const { hash, bytes } of fresh) preimages.set(bytesToHex(hash), bytes);
  const { header } = assemble(root, new Map(), rules);
  const data = hexToBytes(`0x${TestTokenInitCode.slice(2)}${token.encodeDeploy([SUPPLY]).slice(2)}`);
  const call = { from: FEE_RECIPIENT, to: undefined, gas: 10_000_000n, gasPrice: 0n, value: 0n, data, accessList: [] };
  const [created] = machine.simulate(header.serialize(), [{ call }]);
  if (created?.outcome !== 'ok') throw new RangeError(`the token was not deployed: ${created?.reason}`);
  return created.output;
}

function assemble(root: Uint8Array, preimages: Map<Hex, Uint8Array>, rules: Rules): Genesis {
  const header = {
    number: 0n,
    timestamp: GENESIS_SECONDS,
    gasLimit: 100_000_000n,
    coinbase: createAddressFromString(FEE_RECIPIENT),
    baseFeePerGas: 1_000_000_000n,
    extraData: encodeOrigin({ number: 0n, delayedMessages: 0n }),
    parentBeaconBlockRoot: new Uint8Array(32),
    stateRoot: root,
    ...(rules.isActivatedEIP(7685) && { requestsHash: hexToBytes(NO_REQUESTS_HASH) }),
  };
  const block = createBlock({ header, withdrawals: [] }, { common: rules });
  const hash = bytesToHex(block.hash());
  preimages.set(hash, block.header.serialize());
  return { hash, header: block.header, block, preimages };
}

export interface TokenAccount {
  readonly address: Hex;
  readonly nonce: bigint;
  readonly balanceWei: bigint;
  readonly code: Uint8Array;
  readonly storage: readonly (readonly [slot: bigint, value: bigint])[];
}

/** Every holder with ether, and the contract in which each has some of the token. */
export function tokenAccounts({ addresses }: Holders, rules: Rules): TokenAccount[] {
  const account = (address: Hex) => ({
    address,
    nonce: 0n,
    balanceWei: 10n ** 24n,
    code: new Uint8Array(),
    storage: [],
  });
  const storage = addresses.map((address): readonly [bigint, bigint] => [balanceSlot(address), BALANCE]);
  const contract = { ...account(TOKEN), nonce: 1n, balanceWei: 0n, code: runtimeCode(rules), storage };
  return [...addresses.map(account), contract];
}

/** A first block of these accounts. */
export function tokenGenesis(holders: Holders, rules: Rules): Genesis {
  const machine = createMachine(loadMachine(), { chainId: CHAIN_ID, ...NEW_NETWORK_FORK }, { get: () => undefined });
  const { root, fresh } = machine.buildState(tokenAccounts(holders, rules));
  return assemble(root, new Map(fresh.map(({ hash, bytes }) => [bytesToHex(hash), bytes])), rules);
}
