import { RLP } from '@ethereumjs/rlp';
import { MerkleStateManager } from '@ethereumjs/statemanager';
import type { Account, Address } from '@ethereumjs/util';

/**
 * @ethereumjs/statemanager's, with one method written again: theirs loses an error of the storage trie (it leaves the caller
 * waiting for ever and the error unhandled), and a missing preimage or a broken disk must stop the block instead.
 */
export class StateManager extends MerkleStateManager {
  protected override async _writeContractStorage(
    address: Address,
    account: Account,
    key: Uint8Array,
    value: Uint8Array,
  ): Promise<void> {
    const trie = this._getStorageTrie(address, account);
    if (value.length > 0) await trie.put(key, RLP.encode(value));
    else await trie.del(key);
    account.storageRoot = trie.root();
    await this.putAccount(address, account);
  }
}
