//! A state that no block made: the first one of a chain, or that of a test.
use crate::{fault::Fault, preimage::Preimages, state::State};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256};
use revm::{
    bytecode::Bytecode,
    state::{Account, AccountInfo, EvmState, EvmStorageSlot, TransactionId},
};

/// One account as it stands in the new state.
pub struct Allocation {
    pub address: Address,
    pub nonce: u64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: Vec<(U256, U256)>,
}

/// Writes the accounts into an empty state and returns its root. An account that is empty (EIP-161) does not exist.
pub fn build_state<P: Preimages>(state: &mut State<P>, accounts: Vec<Allocation>) -> Result<B256, Fault> {
    state.reset();
    let mut changes = EvmState::default();
    for Allocation { address, nonce, balance, code, storage } in accounts {
        let code = Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code));
        let info = AccountInfo { nonce, balance, code_hash: code.hash_slow(), code: Some(code), ..Default::default() };
        let mut account = Account::from(info);
        account.mark_touch();
        account.mark_created();
        account.storage.extend(
            storage
                .into_iter()
                .map(|(slot, value)| (slot, EvmStorageSlot::new_changed(U256::ZERO, value, TransactionId::ZERO))),
        );
        changes.insert(address, account);
    }
    state.commit(changes)
}
