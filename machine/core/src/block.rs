//! One block: (header before, what L1 and the sequencer say, state by hash) -> (header, receipts, new state by hash).
//!
//! Ethereum's rules of the network's fork. What this chain adds:
//! - Deposits are EIP-4895 withdrawals, credited after the transactions; index = the delayed message's index.
//! - `parentBeaconBlockRoot` and `prevRandao` are the hash of the L1 origin block, which contracts read through EIP-4788.
//!   The L1 origin is public before the block is built: prevRandao is no source of secret randomness.
//! - `extraData` is the L1 origin's number and the count of all delayed messages consumed so far, 8 bytes each, big endian; once
//!   L1 has set the chain's parameters, these follow. The base fee never falls below their floor.
//! - Signed transactions among the delayed messages come first in the input, before the sequencer's.
//! - Several blocks may share a timestamp; the gas limit never changes.
//! - The rule is total: a transaction that the rules do not allow at its place is dropped, with the reason, and the next one is
//!   tried, so a sequencer that posts nonsense wastes only its own L1 fees. The block holds what is left. Building and deriving
//!   are this one function: deriving from what a built block holds drops nothing and gives the same hash.
//!
//! `test/oracle/transition.ts` gives the same blocks by the EVM of @ethereumjs, for the tests.
use crate::{
    fault::Fault,
    header::{self, ChainParameters},
    obstacle::{Obstacle, Signed, find_obstacle, read},
    preimage::{Kind, Preimages},
    receipt::{Receipt, bloom_of},
    rlp,
    rules::{HISTORY_ADDRESS, HISTORY_LENGTH, ORIGIN_ROOTS_ADDRESS, ORIGIN_ROOTS_LENGTH, Rules},
    sender::recover_authority,
    state::State,
    transaction::Transaction,
};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bloom, TxKind, U256, keccak256};
use alloy_trie::root::ordered_trie_root_encoded;
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    context::{BlockEnv, ContextTr, JournalTr, TxEnv, result::EVMError},
    context_interface::{
        either::Either,
        transaction::{RecoveredAuthority, RecoveredAuthorization},
    },
    handler::{MainnetContext, MainnetEvm},
    primitives::{eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN, hardfork::SpecId},
};

pub(crate) const GWEI: u64 = 1_000_000_000;

/// An ETH deposit that the L1 Inbox accepted, credited as an EIP-4895 withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Index of the delayed message.
    pub index: u64,
    pub to: Address,
    pub amount_gwei: u64,
}

/// A transaction as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawTransaction {
    /// EIP-2718 bytes.
    pub bytes: Vec<u8>,
    /// Who signed it, where the host recovered that already and is trusted. A dispute gives `None`.
    pub sender: Option<Address>,
}

/// All that decides a block besides the block before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockInput {
    pub timestamp: u64,
    pub origin_number: u64,
    pub origin_hash: B256,
    /// How many delayed messages the block consumes.
    pub delayed_messages: u32,
    /// Who receives priority fees; base fees are burnt.
    pub fee_recipient: Address,
    /// What a delayed message of this block sets for the blocks after it; `None`: as before.
    pub parameters: Option<ChainParameters>,
    pub deposits: Vec<Deposit>,
    pub transactions: Vec<RawTransaction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// Its place in the input.
    pub index: u32,
    pub obstacle: Obstacle,
}

pub struct BlockOutput {
    pub hash: B256,
    pub header: Header,
    pub header_rlp: Vec<u8>,
    /// Header, transactions, no ommers, withdrawals: what Ethereum calls the block.
    pub block_rlp: Vec<u8>,
    /// What `decodeReceipts` of protocol/rollup/receipt.ts reads.
    pub receipts_rlp: Vec<u8>,
    pub dropped: Vec<Dropped>,
}

struct Included<'a> {
    raw: &'a [u8],
    signed: Signed,
    receipt: Receipt,
}

pub(crate) type BlockContext<'a, P> = MainnetContext<&'a mut State<P>>;
type Evm<'a, P> = MainnetEvm<BlockContext<'a, P>>;

/// Builds the block that follows `previous`. New state, code and the header itself go to the preimages. After a fault `state`
/// has forgotten all that it had in memory, and what was put must be thrown away.
pub fn execute<P: Preimages>(
    state: &mut State<P>,
    previous: &Header,
    input: &BlockInput,
    rules: &Rules,
) -> Result<BlockOutput, Fault> {
    let result = run(state, previous, input, rules);
    if result.is_err() {
        state.reset();
    }
    result
}

fn run<P: Preimages>(
    state: &mut State<P>,
    previous: &Header,
    input: &BlockInput,
    rules: &Rules,
) -> Result<BlockOutput, Fault> {
    let parent_hash = keccak256(header::encode(previous));
    let mut header = header::begin(previous, parent_hash, input, rules)?;
    state.stand_on(previous, parent_hash);
    let mut evm = open_evm(state, &header, rules);
    record_origin(&mut evm.ctx, &header, rules)?;
    let mut included = Vec::with_capacity(input.transactions.len());
    let mut dropped = Vec::new();
    for (index, raw) in input.transactions.iter().enumerate() {
        match run_one(&mut evm, raw, &mut header, rules)? {
            Ok((signed, receipt)) => included.push(Included { raw: &raw.bytes, signed, receipt }),
            Err(obstacle) => dropped.push(Dropped { index: index as u32, obstacle }),
        }
    }
    for deposit in &input.deposits {
        // EIP-4895: a withdrawal of nothing must not create an empty account (EIP-161).
        if deposit.amount_gwei > 0 {
            let amount = U256::from(deposit.amount_gwei) * U256::from(GWEI);
            evm.ctx.journal_mut().balance_incr(deposit.to, amount)?;
        }
    }
    let changes = evm.finalize();
    header.state_root = state.commit(changes)?;
    Ok(seal(state, header, &included, input, dropped))
}

pub fn block_env(header: &Header) -> BlockEnv {
    let mut block = BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        prevrandao: Some(header.mix_hash),
        ..BlockEnv::default()
    };
    // There are no blobs: their price is the lowest, whatever the fraction.
    block.set_blob_excess_gas_and_price(0, BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN);
    block
}

fn open_evm<'a, P: Preimages>(state: &'a mut State<P>, header: &Header, rules: &Rules) -> Evm<'a, P> {
    let context = Context::mainnet().with_db(state).with_cfg(rules.config()).with_block(block_env(header));
    let mut evm = context.build_mainnet();
    evm.precompiles = rules.precompiles();
    evm
}

/// EIP-4788 and EIP-2935, by direct writes to the contracts' ring buffers; a chain without such a contract skips it.
pub(crate) fn record_origin<P: Preimages>(
    context: &mut BlockContext<P>,
    header: &Header,
    rules: &Rules,
) -> Result<(), Fault> {
    let slot = header.timestamp % ORIGIN_ROOTS_LENGTH;
    let origin = U256::from_be_bytes(header.mix_hash.0);
    let writes = [(slot, U256::from(header.timestamp)), (slot + ORIGIN_ROOTS_LENGTH, origin)];
    write_slots(context, ORIGIN_ROOTS_ADDRESS, &writes)?;
    if rules.spec().is_enabled_in(SpecId::PRAGUE) {
        let parent = U256::from_be_bytes(header.parent_hash.0);
        write_slots(context, HISTORY_ADDRESS, &[((header.number - 1) % HISTORY_LENGTH, parent)])?;
    }
    context.journal_mut().commit_tx();
    Ok(())
}

fn write_slots<P: Preimages>(
    context: &mut BlockContext<P>,
    address: Address,
    writes: &[(u64, U256)],
) -> Result<(), Fault> {
    let journal = context.journal_mut();
    if journal.load_account(address)?.info.is_empty_code_hash() {
        return Ok(());
    }
    journal.touch_account(address);
    for (slot, value) in writes {
        journal.sstore(address, U256::from(*slot), *value)?;
    }
    Ok(())
}

fn run_one<P: Preimages>(
    evm: &mut Evm<P>,
    raw: &RawTransaction,
    header: &mut Header,
    rules: &Rules,
) -> Result<Result<(Signed, Receipt), Obstacle>, Fault> {
    let signed = match read(&raw.bytes, raw.sender, rules) {
        Ok(signed) => signed,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let base_fee = header.base_fee_per_gas.unwrap_or_default();
    let journal = evm.ctx.journal_mut();
    let account = &journal.load_account_with_code(signed.sender)?.info;
    // EIP-3607, and EIP-7702: a delegation is no contract.
    let has_code = account.code.as_ref().is_some_and(|code| !code.is_empty() && !code.is_eip7702());
    let gas_left = header.gas_limit - header.gas_used;
    let obstacle = find_obstacle(&signed.transaction, account, has_code, base_fee, gas_left);
    // Looking warmed the account: the next transaction must not profit.
    journal.discard_tx();
    if let Some(obstacle) = obstacle {
        return Ok(Err(obstacle));
    }
    let Some(environment) = to_environment(&signed) else { return Ok(Err(Obstacle::Refused)) };
    let result = match evm.transact_one(environment) {
        Ok(result) => result,
        Err(EVMError::Transaction(_)) => return Ok(Err(Obstacle::Refused)),
        Err(EVMError::Database(fault)) => return Err(fault),
        Err(_) => return Err(Fault::Evm),
    };
    let gas_used = result.tx_gas_used();
    header.gas_used += gas_used;
    let succeeded = result.is_success();
    let logs = if succeeded { result.into_logs() } else { Vec::new() };
    let receipt = Receipt {
        succeeded,
        gas_used,
        cumulative_gas_used: header.gas_used,
        effective_gas_price: signed.transaction.effective_gas_price(base_fee),
        // Where the contract is or would be: that of a failed creation too, as clients of Ethereum say it.
        created: matches!(signed.transaction.to, TxKind::Create)
            .then(|| signed.sender.create(signed.transaction.nonce)),
        bloom: bloom_of(&logs),
        logs,
    };
    Ok(Ok((signed, receipt)))
}

/// `None` for a fee that revm cannot count: more wei than there are, which nobody has.
pub(crate) fn to_environment(signed: &Signed) -> Option<TxEnv> {
    let Transaction { kind, chain_id, nonce, gas_limit, max_fee, priority_fee, to, value, data, .. } =
        &signed.transaction;
    let authorizations = signed.transaction.authorizations.iter().map(|authorization| {
        let authority = recover_authority(authorization);
        let authority = authority.map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid);
        Either::Right(RecoveredAuthorization::new_unchecked(authorization.inner.clone(), authority))
    });
    Some(TxEnv {
        tx_type: *kind,
        caller: signed.sender,
        gas_limit: *gas_limit,
        gas_price: u128::try_from(*max_fee).ok()?,
        kind: *to,
        value: *value,
        data: data.clone(),
        nonce: *nonce,
        chain_id: *chain_id,
        access_list: signed.transaction.access_list.clone(),
        gas_priority_fee: priority_fee.map(u128::try_from).transpose().ok()?,
        authorization_list: authorizations.collect(),
        ..TxEnv::default()
    })
}

fn seal<P: Preimages>(
    state: &mut State<P>,
    mut header: Header,
    included: &[Included],
    input: &BlockInput,
    dropped: Vec<Dropped>,
) -> BlockOutput {
    let transactions: Vec<&[u8]> = included.iter().map(|item| item.raw).collect();
    let receipts: Vec<Vec<u8>> =
        included.iter().map(|item| item.receipt.encode(item.signed.transaction.kind)).collect();
    let withdrawals: Vec<Vec<u8>> = input.deposits.iter().map(encode_withdrawal).collect();
    header.transactions_root = ordered_trie_root_encoded(&transactions);
    header.receipts_root = ordered_trie_root_encoded(&receipts);
    header.withdrawals_root = Some(ordered_trie_root_encoded(&withdrawals));
    header.logs_bloom = included.iter().fold(Bloom::ZERO, |bloom, item| bloom | item.receipt.bloom);
    let header_rlp = header::encode(&header);
    let hash = keccak256(&header_rlp);
    state.preimages.put(Kind::Header, hash, &header_rlp);

    let mut rows = Vec::with_capacity(512 * included.len());
    included.iter().for_each(|item| item.receipt.put_row(&item.signed, &mut rows));
    let mut receipts_rlp = Vec::with_capacity(rows.len() + 5);
    rlp::put_list(&rows, &mut receipts_rlp);
    let block_rlp = encode_block(&header_rlp, &transactions, &withdrawals);
    BlockOutput { hash, header, header_rlp, block_rlp, receipts_rlp, dropped }
}

/// EIP-4895; the validator index, which this chain has no use for, is zero.
fn encode_withdrawal(deposit: &Deposit) -> Vec<u8> {
    let mut payload = Vec::with_capacity(48);
    rlp::put_number(U256::from(deposit.index), &mut payload);
    rlp::put_number(U256::ZERO, &mut payload);
    rlp::put_bytes(deposit.to.as_slice(), &mut payload);
    rlp::put_number(U256::from(deposit.amount_gwei), &mut payload);
    let mut out = Vec::with_capacity(50);
    rlp::put_list(&payload, &mut out);
    out
}

fn encode_block(header_rlp: &[u8], transactions: &[&[u8]], withdrawals: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for raw in transactions {
        // A legacy transaction is a list in itself, a typed one a string (EIP-2718).
        if raw[0] >= 0xc0 { body.extend_from_slice(raw) } else { rlp::put_bytes(raw, &mut body) }
    }
    let mut payload = Vec::with_capacity(header_rlp.len() + body.len() + 64);
    payload.extend_from_slice(header_rlp);
    rlp::put_list(&body, &mut payload);
    rlp::put_list(&[], &mut payload);
    rlp::put_list(&withdrawals.concat(), &mut payload);
    let mut out = Vec::with_capacity(payload.len() + 5);
    rlp::put_list(&payload, &mut out);
    out
}
