//! Transactions of a block that is known, run again where they stand in it, to see what happened inside: `debug_trace*`.
use crate::{
    block::{BlockInput, block_env, record_origin, to_environment},
    call::{CallResult, TracedEvm, Wanted, run},
    fault::Fault,
    header, obstacle,
    preimage::Preimages,
    rules::Rules,
    state::State,
    trace::Tracer,
};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_primitives::keccak256;
use revm::{Context, MainBuilder, MainContext};

/// What each of the wanted transactions did: the one with this index in `input`, or all of them. `input` is that of a block
/// that was built: a transaction that does not run in it is a fault of the caller.
pub fn replay<P: Preimages>(
    state: &mut State<P>,
    previous: &Header,
    input: &BlockInput,
    only: Option<u32>,
    rules: &Rules,
    wanted: Wanted,
) -> Result<Vec<CallResult>, Fault> {
    state.bound_reads();
    let result = replay_all(state, previous, input, only, rules, wanted);
    if result.is_err() {
        state.reset();
    }
    result
}

fn replay_all<P: Preimages>(
    state: &mut State<P>,
    previous: &Header,
    input: &BlockInput,
    only: Option<u32>,
    rules: &Rules,
    wanted: Wanted,
) -> Result<Vec<CallResult>, Fault> {
    let parent_hash = keccak256(header::encode(previous));
    let header = header::begin(previous, parent_hash, input, rules)?;
    state.stand_on(previous, parent_hash);
    let context = Context::mainnet().with_db(state).with_cfg(rules.config()).with_block(block_env(&header));
    let mut evm: TracedEvm<P> = context.build_mainnet_with_inspector(Tracer::default());
    evm.precompiles = rules.precompiles();
    record_origin(&mut evm.ctx, &header, rules)?;
    let mut results = Vec::new();
    for (index, raw) in input.transactions.iter().enumerate() {
        let is_wanted = only.is_none_or(|only| only as usize == index);
        let signed = obstacle::read(&raw.bytes, raw.sender, rules).map_err(|_| NOT_OF_THE_BLOCK)?;
        let transaction = to_environment(&signed).ok_or(NOT_OF_THE_BLOCK)?;
        let result = run(&mut evm, transaction, if is_wanted { wanted } else { Wanted::default() })?;
        if result.outcome == crate::call::Outcome::Refused {
            return Err(NOT_OF_THE_BLOCK);
        }
        let is_cut = result.is_cut;
        if is_wanted {
            results.push(result);
        }
        if is_cut || only == Some(index as u32) {
            break;
        }
    }
    Ok(results)
}

const NOT_OF_THE_BLOCK: Fault = Fault::Input("a transaction does not run in this block");
