import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import {
  createStateReader,
  EMPTY_CODE,
  EMPTY_ROOT,
  type Found,
  type StateAccount,
  type StateReader,
  type StateSource,
} from '../execute/state-reader.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseAddress, parseObject, parseQuantity, parseSelector } from './params.ts';
import { settledNonce } from './pending-transactions.ts';
import { quantity } from './render.ts';
import { invalidParams } from './rpc-error.ts';
import { READ_COST_MS, type Work, type WorkMeter } from './work-meter.ts';

/** How many storage slots one proof may cover. */
const MAX_PROOF_KEYS = 1_000;

function slotKey(value: unknown): Hex {
  return word(parseQuantity(value, 'storage key'));
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** As other nodes give it: quantities without leading zeros, keys in the form in which they were asked for. */
interface RenderedSlot {
  readonly key: unknown;
  readonly value: Hex;
  readonly proof: readonly Hex[];
}

/** Slot by slot, each paid for by the nodes that it reads. */
async function proveSlots(
  state: StateReader,
  { account, slots }: { readonly account: StateAccount | undefined; readonly slots: readonly unknown[] },
  work: Work,
): Promise<RenderedSlot[]> {
  const proven: RenderedSlot[] = [];
  for (const [index, key] of slots.map(slotKey).entries()) {
    const { value, proof } = await state.storage(account, key);
    proven.push({ key: slots[index], value: quantity(value ?? 0n), proof: proof.map(bytesToHex) });
    await work.spend(proof.length * READ_COST_MS.record);
  }
  return proven;
}

function renderProof(address: Hex, { value: account, proof }: Found<StateAccount>, storageProof: RenderedSlot[]) {
  return {
    address,
    balance: quantity(account?.balance ?? 0n),
    nonce: quantity(account?.nonce ?? 0n),
    codeHash: account?.codeHash ?? EMPTY_CODE,
    storageHash: account?.storageRoot ?? EMPTY_ROOT,
    accountProof: proof.map(bytesToHex),
    storageProof,
  };
}

export interface StateDeps {
  readonly database: StateSource;
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
export function createStateMethods(view: ChainView, { database, meter, pendingNonce }: StateDeps): StateMethods {
  const stateAt = async (selector: unknown): Promise<StateReader> => {
    const header = await view.getStateHeader(parseSelector(selector));
    return createStateReader(database, bytesToHex(header.stateRoot));
  };
  const account = async (address: unknown, selector: unknown): Promise<StateAccount | undefined> => {
    const at = parseAddress(address);
    return (await (await stateAt(selector)).account(at)).value;
  };
  const storageAt = async (state: StateReader, owner: StateAccount | undefined, slot: unknown): Promise<Hex> =>
    word((await state.storage(owner, slotKey(slot))).value ?? 0n);

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
      const { value: owner } = await state.account(address);
      for (const slot of slots) read.push(await storageAt(state, owner, slot));
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
    async eth_getCode([value, selector]) {
      const address = parseAddress(value);
      const state = await stateAt(selector);
      return bytesToHex(await state.code((await state.account(address)).value));
    },
    async eth_getStorageAt([value, slot, selector]) {
      const address = parseAddress(value);
      const state = await stateAt(selector);
      return storageAt(state, (await state.account(address)).value, slot);
    },
    eth_getStorageValues: ([requests, selector]) => storageValues(parseObject(requests, 'storage requests'), selector),
    async eth_getProof([address, slots, selector], client) {
      if (!Array.isArray(slots) || slots.length > MAX_PROOF_KEYS)
        throw invalidParams('storage keys are not a short list');
      const at = parseAddress(address);
      const work = meter.begin(client);
      const state = await stateAt(selector);
      const found = await state.account(at);
      await work.spend(found.proof.length * READ_COST_MS.record);
      return renderProof(at, found, await proveSlots(state, { account: found.value, slots }, work));
    },
  };
  return { methods, nonceOf: async (address) => (await account(address, 'latest'))?.nonce ?? 0n };
}
