//! Blocks of transactions that nobody signed, each on the state that the one before left: `eth_simulateV1`.
use crate::{
    block::block_env,
    call::{
        AccountOverride, BlockOverrides, Call, CallResult, Outcome, TracedEvm, Wanted, open, override_account,
        override_block, refused, run, to_environment,
    },
    fault::Fault,
    header,
    preimage::Preimages,
    rules::Rules,
    state::State,
};
use alloc::{format, vec::Vec};
use alloy_consensus::Header;
use alloy_primitives::{B256, keccak256};
use revm::{
    ExecuteEvm,
    context::{ContextTr, JournalTr, TxEnv},
};

/// A call in a simulated block. `call.gas_price` is the most that it pays for gas.
pub struct SimulatedCall {
    /// `gas_limit` is not read.
    pub call: Call,
    /// What the block has left when absent.
    pub gas: Option<u64>,
    /// The account's next one when absent.
    pub nonce: Option<u64>,
    /// `None` for one of the type 0 (legacy).
    pub priority_fee: Option<u128>,
}

pub struct SimulatedBlock {
    pub block: BlockOverrides,
    pub accounts: Vec<AccountOverride>,
    pub calls: Vec<SimulatedCall>,
    /// Holds nonces and fees to the rules. Senders may be contracts either way.
    pub is_strict: bool,
}

pub struct SimulatedResult {
    pub result: CallResult,
    pub gas: u64,
    pub nonce: u64,
}

/// The calls up to the first that the rules refuse, which is the last then; and the root of the state after all of them.
pub struct Simulated {
    pub results: Vec<SimulatedResult>,
    pub state_root: Option<B256>,
}

/// Runs a block of calls after `previous`. Its state goes to the preimages, so that the next one can stand on it.
pub fn simulate_block<P: Preimages>(
    state: &mut State<P>,
    previous: &Header,
    block: &SimulatedBlock,
    rules: &Rules,
    wanted: Wanted,
) -> Result<Simulated, Fault> {
    state.bound_reads();
    let result = run_block(state, previous, block, rules, wanted);
    if result.is_err() {
        state.reset();
    }
    result
}

fn run_block<P: Preimages>(
    state: &mut State<P>,
    previous: &Header,
    block: &SimulatedBlock,
    rules: &Rules,
    wanted: Wanted,
) -> Result<Simulated, Fault> {
    state.stand_on(previous, keccak256(header::encode(previous)));
    let mut evm = open(state, previous, rules);
    evm.ctx.block = override_block(block_env(previous), &block.block);
    for account in &block.accounts {
        override_account(&mut evm, account)?;
    }
    let mut left = evm.ctx.block.gas_limit;
    let mut results = Vec::with_capacity(block.calls.len());
    for call in &block.calls {
        let done = run_call(&mut evm, call, left, block.is_strict, wanted)?;
        left = left.saturating_sub(done.result.gas_used);
        let is_over = done.result.outcome == Outcome::Refused || done.result.is_cut;
        results.push(done);
        if is_over {
            return Ok(Simulated { results, state_root: None });
        }
    }
    let changes = evm.finalize();
    let state_root = Some(state.commit(changes)?);
    Ok(Simulated { results, state_root })
}

fn run_call<P: Preimages>(
    evm: &mut TracedEvm<P>,
    simulated: &SimulatedCall,
    left: u64,
    is_strict: bool,
    wanted: Wanted,
) -> Result<SimulatedResult, Fault> {
    let journal = evm.ctx.journal_mut();
    let next = journal.load_account(simulated.call.from)?.info.nonce;
    // Looking warmed the account.
    journal.discard_tx();
    let gas = simulated.gas.unwrap_or(left);
    let nonce = simulated.nonce.unwrap_or(next);
    let refuse = |reason| Ok(SimulatedResult { result: refused(reason), gas, nonce });
    if gas > left {
        return refuse(format!("block gas limit reached: {gas} > {left}"));
    }
    if is_strict && nonce != next {
        return refuse(format!("nonce too {}: next is {next}", if nonce < next { "low" } else { "high" }));
    }
    evm.ctx.cfg.disable_base_fee = !is_strict && simulated.call.gas_price == 0;
    let common = to_environment(&simulated.call, evm.ctx.cfg.chain_id);
    let transaction = TxEnv {
        tx_type: if simulated.priority_fee.is_some() { 2 } else { 0 },
        gas_limit: gas,
        gas_priority_fee: simulated.priority_fee,
        nonce,
        ..common
    };
    Ok(SimulatedResult { result: run(evm, transaction, wanted)?, gas, nonce })
}
