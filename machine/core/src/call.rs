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
    context_interface::transaction::AccessList,
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
    pub steps: Option<WantedSteps>,
}

#[derive(Debug, Clone, Copy)]
pub struct WantedSteps {
    /// Steps after which no more are kept; 0: as many as may be.
    pub limit: u32,
    /// How many words of the top of the stack.
    pub stack_words: u32,
    pub memory: bool,
}

impl Wanted {
    pub fn traces(&self) -> bool {
        self.frames || self.steps.is_some()
    }
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
    pub steps: Vec<u8>,
    /// More was wanted than may be kept.
    pub is_cut: bool,
}

/// What is kept of the accounts that a transaction touched: accounts and slots, and bytes of code.
const MAX_TOUCHED: usize = 20_000;
const MAX_CODE_BYTES: usize = 12 << 20;

pub(crate) type TracedEvm<'a, P> = MainnetEvm<BlockContext<'a, P>, Tracer>;

/// Runs the steps one after the other on the state after `header`. Nothing of it stays.
pub fn simulate<P: Preimages>(
    state: &mut State<P>,
    header: &Header,
    steps: &[Step],
    rules: &Rules,
    wanted: Wanted,
) -> Result<Vec<CallResult>, Fault> {
    state.bound_reads();
    state.stand_in(header);
    let result: Result<Vec<_>, Fault> = (|| {
        let mut evm = open(state, header, rules);
        steps.iter().map(|step| run_step(&mut evm, header, step, wanted)).collect()
    })();
    if result.is_err() {
        state.reset();
    }
    result
}

pub(crate) fn open<'a, P: Preimages>(state: &'a mut State<P>, header: &Header, rules: &Rules) -> TracedEvm<'a, P> {
    let mut config = rules.config();
    config.disable_nonce_check = true;
    config.disable_eip3607 = true;
    config.disable_block_gas_limit = true;
    config.tx_gas_limit_cap = Some(u64::MAX);
    config.memory_limit = MAX_MEMORY_BYTES;
    let context = Context::mainnet().with_db(state).with_cfg(config).with_block(block_env(header));
    let mut evm = context.build_mainnet_with_inspector(Tracer::default());
    evm.precompiles = rules.precompiles();
    evm
}

fn run_step<P: Preimages>(
    evm: &mut TracedEvm<P>,
    header: &Header,
    step: &Step,
    wanted: Wanted,
) -> Result<CallResult, Fault> {
    let mut block = block_env(header);
    if step.call.gas_price == 0 {
        block.basefee = 0;
    }
    let block = override_block(block, &step.block);
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
    evm.inspector.wanted = wanted;
    let ran = if wanted.traces() { evm.inspect_one_tx(transaction) } else { evm.transact_one(transaction) };
    let result = match ran {
        Ok(result) => result,
        Err(EVMError::Transaction(error)) => return Ok(refused(error.to_string())),
        Err(EVMError::Database(fault)) => return Err(fault),
        Err(_) => return Err(Fault::Evm),
    };
    let mut found = to_result(result);
    let traced = evm.inspector.take();
    (found.frames, found.steps, found.is_cut) = (traced.frames, traced.steps, traced.is_cut);
    if wanted.touched {
        match touched(evm, id)? {
            Some(touched) => found.touched = touched,
            None => found.is_cut = true,
        }
    }
    Ok(found)
}

pub(crate) fn override_block(mut block: BlockEnv, overrides: &BlockOverrides) -> BlockEnv {
    let BlockOverrides { number, timestamp, gas_limit, fee_recipient, prev_randao, base_fee } = *overrides;
    block.number = number.map_or(block.number, U256::from);
    block.timestamp = timestamp.map_or(block.timestamp, U256::from);
    block.gas_limit = gas_limit.unwrap_or(block.gas_limit);
    block.beneficiary = fee_recipient.unwrap_or(block.beneficiary);
    block.prevrandao = prev_randao.or(block.prevrandao);
    block.basefee = base_fee.unwrap_or(block.basefee);
    block
}

pub(crate) fn override_account<P: Preimages>(evm: &mut TracedEvm<P>, change: &AccountOverride) -> Result<(), Fault> {
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

pub(crate) fn to_environment(call: &Call, chain_id: u64) -> TxEnv {
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

pub(crate) fn refused(reason: String) -> CallResult {
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
        steps: Vec::new(),
        is_cut: false,
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

/// The accounts that the transaction with this id loaded, by address, with every slot that it loaded; `None` when there are more
/// than may be kept.
fn touched<P: Preimages>(evm: &mut TracedEvm<P>, id: TransactionId) -> Result<Option<Vec<Touched>>, Fault> {
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
    let (mut entries, mut code_bytes) = (0, 0);
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
        entries += 1 + slots.len();
        code_bytes += before.code.len() + after.code.len();
        if entries > MAX_TOUCHED || code_bytes > MAX_CODE_BYTES {
            return Ok(None);
        }
        touched.push(Touched { address, before, after, slots });
    }
    Ok(Some(touched))
}
