import { getMerkleStateProof, type MerkleStateManager } from '@ethereumjs/statemanager';
import { createAddressFromString, setLengthLeft } from '@ethereumjs/util';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { createMemoryState } from '../../../protocol/rollup/state-by-hash.ts';
import { openStateTrie } from '../../../protocol/rollup/state-trie.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseAddress, parseQuantity, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { invalidParams } from './rpc-error.ts';

/** How many storage slots one proof may cover. */
const MAX_PROOF_KEYS = 1_000;

function slotKey(value: unknown): Uint8Array {
  return hexToBytes(`0x${parseQuantity(value, 'storage key').toString(16).padStart(64, '0')}`);
}

/** Accounts, code and storage at a block. */
export function createStateMethods(
  view: ChainView,
  {
    database,
    rules,
    pendingNonce,
  }: { database: ChainDatabase; rules: Rules; pendingNonce: (address: Hex) => bigint | undefined },
): RpcMethods {
  const stateAt = async (selector: unknown): Promise<MerkleStateManager> => {
    const header = await view.getHeader(parseSelector(selector));
    return openStateTrie(createMemoryState(database), header.stateRoot, rules).manager;
  };
  const account = async (address: unknown, selector: unknown) => {
    const at = createAddressFromString(parseAddress(address));
    return (await stateAt(selector)).getAccount(at);
  };

  return {
    eth_getBalance: async ([address, selector]) => quantity((await account(address, selector))?.balance ?? 0n),
    async eth_getTransactionCount([address, selector]) {
      const nonce = (await account(address, selector))?.nonce ?? 0n;
      const waiting = selector === 'pending' ? pendingNonce(parseAddress(address)) : undefined;
      return quantity(waiting !== undefined && waiting > nonce ? waiting : nonce);
    },
    async eth_getCode([address, selector]) {
      const at = createAddressFromString(parseAddress(address));
      return bytesToHex(await (await stateAt(selector)).getCode(at));
    },
    async eth_getStorageAt([address, slot, selector]) {
      const at = createAddressFromString(parseAddress(address));
      return bytesToHex(setLengthLeft(await (await stateAt(selector)).getStorage(at, slotKey(slot)), 32));
    },
    async eth_getProof([address, slots, selector]) {
      if (!Array.isArray(slots) || slots.length > MAX_PROOF_KEYS)
        throw invalidParams('storage keys are not a short list');
      const at = createAddressFromString(parseAddress(address));
      return getMerkleStateProof(await stateAt(selector), at, slots.map(slotKey));
    },
  };
}
