import { type Block, type BlockHeader, createBlock, createBlockHeader } from '@ethereumjs/block';
import { createAddressFromString, KECCAK256_RLP } from '@ethereumjs/util';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { encodeOrigin } from './block-input.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';
import {
  HISTORY_ADDRESS,
  HISTORY_CODE,
  NO_REQUESTS_HASH,
  ORIGIN_ROOTS_ADDRESS,
  ORIGIN_ROOTS_CODE,
  type Rules,
} from './rules.ts';

/** Where the network's own contracts live on L2. */
export const PREDEPLOYS = {
  nodeRegistry: '0x4e43000000000000000000000000000000000001',
  recordRegistry: '0x4e43000000000000000000000000000000000002',
  auditAnchor: '0x4e43000000000000000000000000000000000003',
  messenger: '0x4e43000000000000000000000000000000000004',
  storageDeals: '0x4e43000000000000000000000000000000000005',
} as const satisfies Record<string, Hex>;

/** What the network descriptor says about the first L2 block. */
export interface GenesisParams {
  readonly l2ChainId: bigint;
  /** Seconds since 1970. */
  readonly timestamp: bigint;
  /** Gas limit of every block of the chain. */
  readonly gasLimit: bigint;
  /** Accounts whose attestations admit nodes. */
  readonly auditors: readonly Hex[];
  /** How many auditors it takes to eject a node. */
  readonly ejectionQuorum: number;
  readonly alloc: readonly { readonly address: Hex; readonly balanceWei: bigint }[];
  readonly feeRecipient: Hex;
}

/** An account of the first state. */
export interface GenesisAccount {
  readonly address: Hex;
  readonly nonce: bigint;
  readonly balanceWei: bigint;
  readonly code: Uint8Array;
  /** Slots and values, none of them zero. */
  readonly storage: readonly (readonly [bigint, bigint])[];
}

/** What a first state takes: the machine, which has it in machine/host/genesis-machine.ts. */
export interface GenesisMachine {
  /**
   * Runs creation code at a fixed address on a state of these accounts, in the block with this header (RLP). The code that it
   * returns, with the storage that it leaves; undefined when it fails.
   */
  construct(
    contract: { readonly address: Hex; readonly creation: Uint8Array },
    on: { readonly header: Uint8Array; readonly accounts: readonly GenesisAccount[] },
  ): GenesisAccount | undefined;
  /** The root of the state that holds these accounts and no others, and its preimages by hash. */
  buildState(accounts: readonly GenesisAccount[]): {
    readonly root: Hex;
    readonly preimages: ReadonlyMap<Hex, Uint8Array>;
  };
}

/** Creation code of the predeploys, without constructor arguments: the generated artefacts of contracts/. */
export interface PredeployCode {
  readonly nodeRegistry: Hex;
  readonly recordRegistry: Hex;
  readonly auditAnchor: Hex;
  readonly messenger: Hex;
  readonly storageDeals: Hex;
}

export interface Genesis {
  readonly hash: Hex;
  readonly header: BlockHeader;
  readonly block: Block;
  /** Every preimage of the genesis state and the header. */
  readonly preimages: ReadonlyMap<Hex, Uint8Array>;
}

const INITIAL_BASE_FEE_WEI = 1_000_000_000n;
/** Of the block in which the constructors run. */
const CONSTRUCTION_GAS_LIMIT = 30_000_000n;
const ZERO_HASH = new Uint8Array(32);

function word(value: bigint | number): string {
  return value.toString(16).padStart(64, '0');
}

/** ABI encoding of (address[], uint8), NodeRegistry's constructor arguments. */
function registryArguments({ auditors, ejectionQuorum }: GenesisParams): string {
  const head = word(64) + word(ejectionQuorum) + word(auditors.length);
  return head + auditors.map((auditor) => word(BigInt(auditor))).join('');
}

/** Who calls the constructors. It is no account of the first state, whatever the descriptor says. */
const NO_CALLER: Hex = '0x0000000000000000000000000000000000000000';

/**
 * Builds the first block: balances, the contracts of EIP-4788 and (from Prague on) EIP-2935, and the predeploys by running their
 * constructors. The same parameters give the same hash everywhere. Throws ROLLUP_GENESIS_INVALID.
 */
export function buildGenesis(
  params: GenesisParams,
  code: PredeployCode,
  { rules, machine }: { readonly rules: Rules; readonly machine: GenesisMachine },
): Genesis {
  const { root, preimages } = machine.buildState(genesisAccounts(params, code, { rules, machine }));
  const header = {
    number: 0n,
    timestamp: params.timestamp,
    gasLimit: params.gasLimit,
    coinbase: createAddressFromString(params.feeRecipient),
    baseFeePerGas: INITIAL_BASE_FEE_WEI,
    extraData: encodeOrigin({ number: 0n, delayedMessages: 0n }),
    mixHash: ZERO_HASH,
    parentBeaconBlockRoot: ZERO_HASH,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    stateRoot: root,
    ...(rules.isActivatedEIP(7685) && { requestsHash: hexToBytes(NO_REQUESTS_HASH) }),
  };
  const block = createBlock({ header, withdrawals: [] }, { common: rules });
  const hash = bytesToHex(block.hash());
  return { hash, header: block.header, block, preimages: new Map([...preimages, [hash, block.header.serialize()]]) };
}

function contract(address: Hex, code: Hex): GenesisAccount {
  return { address, nonce: 1n, balanceWei: 0n, code: hexToBytes(code), storage: [] };
}

function genesisAccounts(
  params: GenesisParams,
  code: PredeployCode,
  { rules, machine }: { readonly rules: Rules; readonly machine: GenesisMachine },
): GenesisAccount[] {
  const accounts = new Map<Hex, GenesisAccount>();
  for (const { address, balanceWei } of params.alloc) {
    const before = accounts.get(address)?.balanceWei ?? 0n;
    if (before + balanceWei === 0n || address === NO_CALLER) continue;
    accounts.set(address, { address, nonce: 0n, balanceWei: before + balanceWei, code: new Uint8Array(), storage: [] });
  }
  accounts.set(ORIGIN_ROOTS_ADDRESS, contract(ORIGIN_ROOTS_ADDRESS, ORIGIN_ROOTS_CODE));
  if (rules.isActivatedEIP(2935)) accounts.set(HISTORY_ADDRESS, contract(HISTORY_ADDRESS, HISTORY_CODE));
  const header = constructionHeader(rules);
  const predeploy = (address: Hex, creation: string): void => {
    const on = { header, accounts: [...accounts.values()] };
    const made = machine.construct({ address, creation: hexToBytes(`0x${creation}`) }, on);
    if (made === undefined)
      throw new NectarError('ROLLUP_GENESIS_INVALID', { reason: `the constructor of ${address} failed` });
    accounts.set(address, made);
  };
  predeploy(PREDEPLOYS.nodeRegistry, code.nodeRegistry.slice(2) + registryArguments(params));
  predeploy(PREDEPLOYS.recordRegistry, code.recordRegistry.slice(2));
  predeploy(PREDEPLOYS.auditAnchor, code.auditAnchor.slice(2) + word(BigInt(PREDEPLOYS.nodeRegistry)));
  predeploy(PREDEPLOYS.messenger, code.messenger.slice(2));
  predeploy(PREDEPLOYS.storageDeals, code.storageDeals.slice(2));
  return [...accounts.values()];
}

/** Constructors run on a state of which nothing is in a trie yet, in no block: one of number and time 0. */
function constructionHeader(rules: Rules): Uint8Array {
  return createBlockHeader(
    { stateRoot: KECCAK256_RLP, gasLimit: CONSTRUCTION_GAS_LIMIT, baseFeePerGas: 0n },
    { common: rules },
  ).serialize();
}
