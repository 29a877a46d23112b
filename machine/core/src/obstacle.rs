//! Why a transaction is not part of a block: a verdict of the rules, the same on every machine.
use crate::{
    rules::Rules,
    sender::HALF_ORDER,
    transaction::{MAX_TRANSACTION_BYTES, Transaction},
};
use alloy_primitives::{Address, TxKind, U256};
use revm::{
    context_interface::cfg::gas::InitialAndFloorGas,
    primitives::{eip3860::MAX_INITCODE_SIZE, hardfork::SpecId},
    state::AccountInfo,
};

/// The numbers are those of the ABI; `protocol/rollup/transaction.ts` has the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Obstacle {
    Size = 0,
    Undecodable = 1,
    Signature = 2,
    IntrinsicGas = 3,
    SenderHasCode = 4,
    NonceLow = 5,
    NonceHigh = 6,
    BlockGas = 7,
    FeeCap = 8,
    Funds = 9,
    Refused = 10,
}

/// A transaction that is right in itself, and who sent it.
pub struct Signed {
    pub transaction: Transaction,
    pub sender: Address,
}

/// Reads EIP-2718 bytes from anyone: size, then shape, then what it must pay at least, then the signature. `sender` is what a
/// host that recovered it already says; without one it is recovered here.
pub fn read(raw: &[u8], sender: Option<Address>, rules: &Rules) -> Result<Signed, Obstacle> {
    if raw.len() > MAX_TRANSACTION_BYTES {
        return Err(Obstacle::Size);
    }
    let transaction = Transaction::decode(raw).ok_or(Obstacle::Undecodable)?;
    if !is_sound(&transaction, rules) {
        return Err(Obstacle::Undecodable);
    }
    let gas = initial_gas(&transaction, rules);
    let floor = if rules.spec().is_enabled_in(SpecId::PRAGUE) { gas.floor_gas() } else { 0 };
    if gas.initial_regular_gas().max(floor) > transaction.gas_limit {
        return Err(Obstacle::IntrinsicGas);
    }
    let sender = sender.or_else(|| transaction.recover()).ok_or(Obstacle::Signature)?;
    Ok(Signed { transaction, sender })
}

/// What no state can change.
fn is_sound(transaction: &Transaction, rules: &Rules) -> bool {
    let Transaction { kind, chain_id, nonce, max_fee, priority_fee, to, data, authorizations, signature, .. } =
        transaction;
    let is_create = matches!(to, TxKind::Create);
    let is_known = *kind != 4 || rules.spec().is_enabled_in(SpecId::PRAGUE);
    is_known
        && chain_id.is_none_or(|id| id == rules.chain_id)
        // EIP-2681.
        && *nonce < u64::MAX
        && priority_fee.is_none_or(|tip| tip <= *max_fee)
        // EIP-2. A legacy transaction says so when it is asked for its sender, as in TypeScript.
        && (*kind == 0 || signature.s <= HALF_ORDER)
        && !(is_create && data.len() > MAX_INITCODE_SIZE)
        && !(*kind == 4 && (is_create || authorizations.is_empty()))
}

fn initial_gas(transaction: &Transaction, rules: &Rules) -> InitialAndFloorGas {
    let keys = transaction.access_list.0.iter().map(|item| item.storage_keys.len() as u64).sum();
    rules.gas_params.initial_tx_gas(
        &transaction.data,
        matches!(transaction.to, TxKind::Create),
        transaction.access_list.0.len() as u64,
        keys,
        transaction.authorizations.len() as u64,
        None,
    )
}

/// What stops the transaction from running now. `account` is its sender's.
pub fn find_obstacle(
    transaction: &Transaction,
    account: &AccountInfo,
    has_code: bool,
    base_fee: u64,
    gas_left: u64,
) -> Option<Obstacle> {
    let Transaction { nonce, gas_limit, max_fee, value, .. } = transaction;
    if has_code {
        return Some(Obstacle::SenderHasCode);
    }
    if *nonce < account.nonce {
        return Some(Obstacle::NonceLow);
    }
    if *nonce > account.nonce {
        return Some(Obstacle::NonceHigh);
    }
    if *gas_limit > gas_left {
        return Some(Obstacle::BlockGas);
    }
    if *max_fee < U256::from(base_fee) {
        return Some(Obstacle::FeeCap);
    }
    let cost = max_fee.checked_mul(U256::from(*gas_limit)).and_then(|gas| gas.checked_add(*value));
    if cost.is_none_or(|cost| account.balance < cost) { Some(Obstacle::Funds) } else { None }
}
