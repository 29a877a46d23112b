import { getMerkleStateProof, type MerkleStateManager } from '@ethereumjs/statemanager';
import { type Address, createAddressFromString, setLengthLeft } from '@ethereumjs/util';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { createMemoryState } from '../../../protocol/rollup/state-by-hash.ts';
import { openStateTrie } from '../../../protocol/rollup/state-trie.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseAddress, parseObject, parseQuantity, parseSelector } from './params.ts';
import { settledNonce } from './pending-transactions.ts';
import { quantity } from './render.ts';
import { invalidParams } from './rpc-error.ts';
import { READ_COST_MS, type Work, type WorkMeter } from './work-meter.ts';

/** How many storage slots one proof may cover. */
const MAX_PROOF_KEYS = 1_000;
/** Slots proven at a stretch. */
const KEYS_PER_TURN = 8;

function slotKey(value: unknown): Uint8Array {
  return hexToBytes(`0x${parseQuantity(value, 'storage key').toString(16).padStart(64, '0')}`);
}

type MerkleProof = Awaited<ReturnType<typeof getMerkleStateProof>>;

/** Some slots at a time, each paid for by the nodes that it reads. */
async function prove(
  state: MerkleStateManager,
  { address, keys }: { readonly address: Address; readonly keys: readonly Uint8Array[] },
  work: Work,
): Promise<MerkleProof> {
  const whole = await getMerkleStateProof(state, address, keys.slice(0, KEYS_PER_TURN));
  const storageProof = [...whole.storageProof];
  await work.spend((whole.accountProof.length + nodesIn(storageProof)) * READ_COST_MS.record);
  for (let at = KEYS_PER_TURN; at < keys.length; at += KEYS_PER_TURN) {
    const part = await getMerkleStateProof(state, address, keys.slice(at, at + KEYS_PER_TURN));
    storageProof.push(...part.storageProof);
    await work.spend((part.accountProof.length + nodesIn(part.storageProof)) * READ_COST_MS.record);
  }
  return { ...whole, storageProof };
}

function nodesIn(proofs: MerkleProof['storageProof']): number {
  return proofs.reduce((sum, { proof }) => sum + proof.length, 0);
}

/** As other nodes give it: quantities without leading zeros, keys in the form in which they were asked for. */
function renderProof(proof: MerkleProof, asked: readonly unknown[]): Record<string, unknown> {
  return {
    ...proof,
    balance: quantity(BigInt(proof.balance)),
    nonce: quantity(BigInt(proof.nonce)),
    storageProof: proof.storageProof.map(({ value, proof: nodes }, index) => ({
      key: asked[index],
      value: quantity(value === '0x' ? 0n : BigInt(value)),
      proof: nodes,
    })),
  };
}

export interface StateDeps {
  readonly database: ChainDatabase;
  readonly rules: Rules;
  readonly meter: WorkMeter;
  /** The next nonce of an account whose nonce in the chain is `nonce`: what is on its way into a block is counted. */
  readonly pendingNonce: (address: Hex, nonce: bigint) => Promise<bigint>;
}

export interface StateMethods {
  readonly methods: RpcMethods;
  /** At the head of the chain. */
  nonceOf(address: Hex): Promise<bigint>;
}

/** Accounts, code and storage at a block. */
export function createStateMethods(view: ChainView, { database, rules, meter, pendingNonce }: StateDeps): StateMethods {
  const stateAt = async (selector: unknown): Promise<MerkleStateManager> => {
    const header = await view.getStateHeader(parseSelector(selector));
    return openStateTrie(createMemoryState(database), header.stateRoot, rules).manager;
  };
  const account = async (address: unknown, selector: unknown) => {
    const at = createAddressFromString(parseAddress(address));
    return (await stateAt(selector)).getAccount(at);
  };
  const storageAt = async (state: MerkleStateManager, address: Hex, slot: unknown): Promise<Hex> => {
    const value = await state.getStorage(createAddressFromString(address), slotKey(slot));
    return bytesToHex(setLengthLeft(value, 32));
  };

  async function storageValues(requests: Record<string, unknown>, selector: unknown): Promise<Record<string, Hex[]>> {
    const wanted = Object.entries(requests).map(([address, slots]) => {
      if (!Array.isArray(slots)) throw invalidParams('storage keys are not a list');
      return { address: parseAddress(address), slots: slots as unknown[] };
    });
    const count = wanted.reduce((sum, { slots }) => sum + slots.length, 0);
    if (count === 0 || count > MAX_PROOF_KEYS) throw invalidParams(`storage keys are not 1 to ${MAX_PROOF_KEYS}`);
    const state = await stateAt(selector);
    const values: Record<string, Hex[]> = {};
    for (const { address, slots } of wanted) {
      const read: Hex[] = [];
      for (const slot of slots) read.push(await storageAt(state, address, slot));
      values[address] = read;
    }
    return values;
  }

  const methods: RpcMethods = {
    eth_getBalance: async ([address, selector]) => quantity((await account(address, selector))?.balance ?? 0n),
    async eth_getTransactionCount([value, selector]) {
      const address = parseAddress(value);
      const nonceAt = async (): Promise<bigint> => (await account(address, selector))?.nonce ?? 0n;
      if (selector !== 'pending') return quantity(await nonceAt());
      return quantity(await settledNonce(nonceAt, (nonce) => pendingNonce(address, nonce)));
    },
    async eth_getCode([address, selector]) {
      const at = createAddressFromString(parseAddress(address));
      return bytesToHex(await (await stateAt(selector)).getCode(at));
    },
    eth_getStorageAt: async ([address, slot, selector]) =>
      storageAt(await stateAt(selector), parseAddress(address), slot),
    eth_getStorageValues: ([requests, selector]) => storageValues(parseObject(requests, 'storage requests'), selector),
    async eth_getProof([address, slots, selector], client) {
      if (!Array.isArray(slots) || slots.length > MAX_PROOF_KEYS)
        throw invalidParams('storage keys are not a short list');
      const proven = { address: createAddressFromString(parseAddress(address)), keys: slots.map(slotKey) };
      const work = meter.begin(client);
      return renderProof(await prove(await stateAt(selector), proven, work), slots);
    },
  };
  return { methods, nonceOf: async (address) => (await account(address, 'latest'))?.nonce ?? 0n };
}
