//! Transactions that nobody signed, run on the state after a block, in its context, and forgotten: `eth_call` and its kin.
use crate::{
    block::{BlockContext, block_env},
    fault::Fault,
    preimage::Preimages,
    rules::Rules,
    state::State,
    trace::{Frame, Side, Touched, Tracer},
};
use alloc::{string::String, string::ToString, vec::Vec};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256, map::HashMap};
use revm::{
    Context, Database, ExecuteEvm, InspectEvm, MainBuilder, MainContext,
    bytecode::Bytecode,
    context::{
        BlockEnv, ContextTr, JournalTr, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    context_interface::transaction::{AccessList, AccessListItem},
    handler::MainnetEvm,
    state::{EvmStorageSlot, TransactionId},
};

/// The longest memory of one call, in bytes: what 30 million gas buy, where a caller may name any gas.
const MAX_MEMORY_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, Default)]
pub struct BlockOverrides {
    pub number: Option<u64>,
    pub timestamp: Option<u64>,
    pub gas_limit: Option<u64>,
    pub fee_recipient: Option<Address>,
    pub prev_randao: Option<B256>,
    pub base_fee: Option<u64>,
}

#[derive(Debug, Clone)]
pub enum StorageOverride {
    None,
    /// These slots and no others have values.
    Replace(Vec<(U256, U256)>),
    /// These slots have other values.
    Patch(Vec<(U256, U256)>),
}

#[derive(Debug, Clone)]
pub struct AccountOverride {
    pub address: Address,
    pub balance: Option<U256>,
    pub nonce: Option<u64>,
    pub code: Option<Bytes>,
    pub storage: StorageOverride,
}

#[derive(Debug, Clone)]
pub struct Call {
    pub from: Address,
    pub to: TxKind,
    pub gas_limit: u64,
    /// Wei; zero runs as if the base fee were zero too.
    pub gas_price: u128,
    pub value: U256,
    pub data: Bytes,
    pub access_list: AccessList,
}

/// A call after changes to the block and the state that it sees. Changes stay for the steps that follow.
#[derive(Debug, Clone)]
pub struct Step {
    pub block: BlockOverrides,
    pub accounts: Vec<AccountOverride>,
    pub call: Call,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    Ok = 0,
    Reverted = 1,
    /// Out of gas, invalid opcode, ...: it ran and used gas.
    Failed = 2,
    /// The rules do not let it start.
    Refused = 3,
}

/// What is wanted beside the outcome: it costs time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    pub frames: bool,
    pub touched: bool,
}

pub struct CallResult {
    pub outcome: Outcome,
    pub gas_used: u64,
    pub output: Bytes,
    /// Why it failed or was refused.
    pub reason: String,
    pub logs: Vec<Log>,
    pub frames: Vec<Frame>,
    pub touched: Vec<Touched>,
}

pub(crate) type TracedEvm<'a, P> = MainnetEvm<BlockContext<'a, P>, Tracer>;

/// Runs the steps one after the other on the state after `header`. Nothing of it stays.
pub fn simulate<P: Preimages>(
    state: &mut State<P>,
    header: &Header,
    steps: &[Step],
    rules: &Rules,
    wanted: Wanted,
) -> Result<Vec<CallResult>, Fault> {
    state.stand_in(header);
    let result: Result<Vec<_>, Fault> = (|| {
        let mut evm = open(state, header, rules, wanted);
        steps.iter().map(|step| run_step(&mut evm, header, step, wanted)).collect()
    })();
    if result.is_err() {
        state.reset();
    }
    result
}

/// The least gas with which the call succeeds, at most what it names: the result of the run with that gas, or that of the first
/// failure when it never does. Gas of a call does not only grow with what it is given, so this searches as clients do: from what
/// the successful run used, upward by halves.
pub fn estimate<P: Preimages>(
    state: &mut State<P>,
    header: &Header,
    step: &Step,
    rules: &Rules,
) -> Result<(u64, CallResult), Fault> {
    let mut attempt = |gas_limit: u64| -> Result<CallResult, Fault> {
        let call = Call { gas_limit, ..step.call.clone() };
        let steps = [Step { call, ..step.clone() }];
        let mut results = simulate(state, header, &steps, rules, Wanted::default())?;
        results.pop().ok_or(Fault::Evm)
    };
    let most = step.call.gas_limit;
    let first = attempt(most)?;
    if first.outcome != Outcome::Ok {
        return Ok((most, first));
    }
    let (mut too_little, mut enough) = (first.gas_used.saturating_sub(1).min(most), most);
    let mut best = first;
    // What it used, and the 63/64 and the stipend that a call inside wants to see: right at once for most.
    let mut guess = (too_little + 1).saturating_add(2_300).saturating_mul(64) / 63;
    while enough - too_little > 1 {
        let gas = if guess > too_little && guess < enough { guess } else { too_little + (enough - too_little) / 2 };
        guess = 0;
        let result = attempt(gas)?;
        if result.outcome == Outcome::Ok {
            (enough, best) = (gas, result);
        } else {
            too_little = gas;
        }
    }
    Ok((enough, best))
}

fn open<'a, P: Preimages>(state: &'a mut State<P>, header: &Header, rules: &Rules, wanted: Wanted) -> TracedEvm<'a, P> {
    let mut config = rules.config();
    config.disable_nonce_check = true;
    config.disable_eip3607 = true;
    config.disable_block_gas_limit = true;
    config.tx_gas_limit_cap = Some(u64::MAX);
    config.memory_limit = MAX_MEMORY_BYTES;
    let context = Context::mainnet().with_db(state).with_cfg(config).with_block(block_env(header));
    let mut evm = context.build_mainnet_with_inspector(Tracer::new(wanted.frames));
    evm.precompiles = rules.precompiles();
    evm
}

fn run_step<P: Preimages>(
    evm: &mut TracedEvm<P>,
    header: &Header,
    step: &Step,
    wanted: Wanted,
) -> Result<CallResult, Fault> {
    let block = override_block(block_env(header), step);
    evm.ctx.cfg.disable_base_fee = step.call.gas_price == 0;
    evm.ctx.block = block;
    for account in &step.accounts {
        override_account(evm, account)?;
    }
    let transaction = to_environment(&step.call, evm.ctx.cfg.chain_id);
    run(evm, transaction, wanted)
}

/// Runs one transaction and says what is wanted of it.
pub(crate) fn run<P: Preimages>(
    evm: &mut TracedEvm<P>,
    transaction: TxEnv,
    wanted: Wanted,
) -> Result<CallResult, Fault> {
    let id = evm.ctx.journal_mut().inner.transaction_id;
    evm.inspector.is_on = wanted.frames;
    let ran = if wanted.frames { evm.inspect_one_tx(transaction) } else { evm.transact_one(transaction) };
    let result = match ran {
        Ok(result) => result,
        Err(EVMError::Transaction(error)) => return Ok(refused(error.to_string())),
        Err(EVMError::Database(fault)) => return Err(fault),
        Err(_) => return Err(Fault::Evm),
    };
    let mut found = to_result(result);
    found.frames = evm.inspector.take();
    if wanted.touched {
        found.touched = touched(evm, id)?;
    }
    Ok(found)
}

fn override_block(mut block: BlockEnv, step: &Step) -> BlockEnv {
    let BlockOverrides { number, timestamp, gas_limit, fee_recipient, prev_randao, base_fee } = step.block;
    if step.call.gas_price == 0 {
        block.basefee = 0;
    }
    block.number = number.map_or(block.number, U256::from);
    block.timestamp = timestamp.map_or(block.timestamp, U256::from);
    block.gas_limit = gas_limit.unwrap_or(block.gas_limit);
    block.beneficiary = fee_recipient.unwrap_or(block.beneficiary);
    block.prevrandao = prev_randao.or(block.prevrandao);
    block.basefee = base_fee.unwrap_or(block.basefee);
    block
}

fn override_account<P: Preimages>(evm: &mut TracedEvm<P>, change: &AccountOverride) -> Result<(), Fault> {
    let journal = evm.ctx.journal_mut();
    let address = change.address;
    journal.load_account_with_code(address)?;
    if let StorageOverride::Patch(slots) = &change.storage {
        // Loaded first: a slot that the journal does not know would be read from the state.
        for (slot, _) in slots {
            journal.sload(address, *slot)?;
        }
    }
    let Some(account) = journal.inner.state.get_mut(&address) else { return Err(Fault::Evm) };
    account.info.balance = change.balance.unwrap_or(account.info.balance);
    account.info.nonce = change.nonce.unwrap_or(account.info.nonce);
    if let Some(code) = &change.code {
        let code = Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code.clone()));
        account.info.code_hash = code.hash_slow();
        account.info.code = Some(code);
    }
    let slot = |value: &U256| EvmStorageSlot::new(*value, TransactionId::ZERO);
    match &change.storage {
        StorageOverride::None => {}
        StorageOverride::Patch(slots) => account.storage.extend(slots.iter().map(|(key, value)| (*key, slot(value)))),
        StorageOverride::Replace(slots) => {
            // Storage of an account that this block created is not looked for in the state.
            account.mark_created();
            account.storage = slots.iter().map(|(key, value)| (*key, slot(value))).collect();
        }
    }
    account.mark_touch();
    // What was looked at is cold for the call.
    evm.ctx.journal_mut().commit_tx();
    Ok(())
}

fn to_environment(call: &Call, chain_id: u64) -> TxEnv {
    TxEnv {
        // EIP-2930: a gas price and an access list.
        tx_type: 1,
        caller: call.from,
        gas_limit: call.gas_limit,
        gas_price: call.gas_price,
        kind: call.to,
        value: call.value,
        data: call.data.clone(),
        chain_id: Some(chain_id),
        access_list: call.access_list.clone(),
        ..TxEnv::default()
    }
}

fn refused(reason: String) -> CallResult {
    CallResult { reason, ..empty(Outcome::Refused, 0) }
}

fn empty(outcome: Outcome, gas_used: u64) -> CallResult {
    CallResult {
        outcome,
        gas_used,
        output: Bytes::new(),
        reason: String::new(),
        logs: Vec::new(),
        frames: Vec::new(),
        touched: Vec::new(),
    }
}

fn to_result(result: ExecutionResult) -> CallResult {
    let gas_used = result.tx_gas_used();
    match result {
        ExecutionResult::Success { logs, output, .. } => {
            CallResult { logs, output: output.into_data(), ..empty(Outcome::Ok, gas_used) }
        }
        ExecutionResult::Revert { output, .. } => CallResult { output, ..empty(Outcome::Reverted, gas_used) },
        ExecutionResult::Halt { reason, .. } => {
            CallResult { reason: alloc::format!("{reason:?}"), ..empty(Outcome::Failed, gas_used) }
        }
    }
}

/// The accounts that the transaction with this id loaded, by address, with every slot that it loaded.
fn touched<P: Preimages>(evm: &mut TracedEvm<P>, id: TransactionId) -> Result<Vec<Touched>, Fault> {
    let journal = evm.ctx.journal_mut();
    let mut found: Vec<_> = journal
        .inner
        .state
        .iter()
        .filter(|(_, account)| account.transaction_id == id)
        .map(|(address, account)| (*address, account.clone()))
        .collect();
    found.sort_unstable_by_key(|(address, _)| *address);
    let mut codes: HashMap<B256, Bytes> = HashMap::default();
    let mut code_of = |hash: B256, known: Option<&Bytecode>| -> Result<Bytes, Fault> {
        if let Some(code) = known {
            return Ok(code.original_bytes());
        }
        if let Some(code) = codes.get(&hash) {
            return Ok(code.clone());
        }
        let code = journal.database.code_by_hash(hash)?.original_bytes();
        codes.insert(hash, code.clone());
        Ok(code)
    };
    let mut touched = Vec::with_capacity(found.len());
    for (address, account) in found {
        let original = account.original_info();
        let mut slots: Vec<_> = account
            .storage
            .iter()
            .filter(|(_, slot)| slot.transaction_id == id)
            .map(|(key, slot)| (*key, slot.original_value, slot.present_value))
            .collect();
        slots.sort_unstable();
        let before = Side {
            balance: original.balance,
            nonce: original.nonce,
            code: code_of(original.code_hash, original.code.as_ref())?,
        };
        let info = if account.is_selfdestructed_locally() { Default::default() } else { account.info };
        let after =
            Side { balance: info.balance, nonce: info.nonce, code: code_of(info.code_hash, info.code.as_ref())? };
        touched.push(Touched { address, before, after, slots });
    }
    Ok(touched)
}

/// What a call would warm: an EIP-2930 access list of what it touched, without the accounts that are warm anyway.
pub fn access_list(touched: &[Touched], without: &[Address]) -> AccessList {
    let items = touched.iter().filter(|item| !item.slots.is_empty() || !without.contains(&item.address)).map(|item| {
        let storage_keys = item.slots.iter().map(|(slot, ..)| B256::from(slot.to_be_bytes::<32>())).collect();
        AccessListItem { address: item.address, storage_keys }
    });
    AccessList(items.collect())
}
