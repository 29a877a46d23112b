//! Calls and traces as bytes.
use crate::wire::{Reader, put_blob, put_u32};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256};
use nectar_machine::{
    call::{AccountOverride, BlockOverrides, Call, CallResult, Step, StorageOverride, Wanted, WantedSteps},
    simulation::{Simulated, SimulatedBlock, SimulatedCall},
    trace::{Frame, Side, Touched},
    transaction::parse_access_list,
};

const WANTS_FRAMES: u8 = 1;
const WANTS_TOUCHED: u8 = 2;
const WANTS_STEPS: u8 = 4;

pub fn read_wanted(reader: &mut Reader) -> Option<Wanted> {
    let flags = reader.u8()?;
    let steps = if flags & WANTS_STEPS == 0 {
        None
    } else {
        Some(WantedSteps { limit: reader.u32()?, stack_words: reader.u32()?, memory: reader.u8()? != 0 })
    };
    Some(Wanted { frames: flags & WANTS_FRAMES != 0, touched: flags & WANTS_TOUCHED != 0, steps })
}

/// A byte that says whether the value follows.
fn optional<'a, T>(reader: &mut Reader<'a>, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<Option<T>> {
    match reader.u8()? {
        0 => Some(None),
        1 => read(reader).map(Some),
        _ => None,
    }
}

fn read_block(reader: &mut Reader) -> Option<BlockOverrides> {
    Some(BlockOverrides {
        number: optional(reader, Reader::u64)?,
        timestamp: optional(reader, Reader::u64)?,
        gas_limit: optional(reader, Reader::u64)?,
        fee_recipient: optional(reader, Reader::address)?,
        prev_randao: optional(reader, |reader| reader.array().map(B256::new))?,
        base_fee: optional(reader, Reader::u64)?,
    })
}

fn read_slots(reader: &mut Reader) -> Option<Vec<(U256, U256)>> {
    let mut slots = Vec::new();
    for _ in 0..reader.u32()? {
        slots.push((reader.word()?, reader.word()?));
    }
    Some(slots)
}

fn read_account(reader: &mut Reader) -> Option<AccountOverride> {
    Some(AccountOverride {
        address: reader.address()?,
        balance: optional(reader, Reader::word)?,
        nonce: optional(reader, Reader::u64)?,
        code: optional(reader, |reader| reader.blob().map(Bytes::copy_from_slice))?,
        storage: match reader.u8()? {
            0 => StorageOverride::None,
            1 => StorageOverride::Replace(read_slots(reader)?),
            2 => StorageOverride::Patch(read_slots(reader)?),
            _ => return None,
        },
    })
}

fn read_accounts(reader: &mut Reader) -> Option<Vec<AccountOverride>> {
    let mut accounts = Vec::new();
    for _ in 0..reader.u32()? {
        accounts.push(read_account(reader)?);
    }
    Some(accounts)
}

fn read_call(reader: &mut Reader) -> Option<Call> {
    Some(Call {
        from: reader.address()?,
        to: optional(reader, Reader::address)?.map_or(TxKind::Create, TxKind::Call),
        gas_limit: reader.u64()?,
        gas_price: u128::try_from(reader.word()?).ok()?,
        value: reader.word()?,
        data: Bytes::copy_from_slice(reader.blob()?),
        access_list: parse_access_list(reader.blob()?)?,
    })
}

pub fn read_step(reader: &mut Reader) -> Option<Step> {
    Some(Step { block: read_block(reader)?, accounts: read_accounts(reader)?, call: read_call(reader)? })
}

pub fn read_simulated_block(reader: &mut Reader) -> Option<SimulatedBlock> {
    let is_strict = reader.u8()? != 0;
    let (block, accounts) = (read_block(reader)?, read_accounts(reader)?);
    let mut calls = Vec::new();
    for _ in 0..reader.u32()? {
        calls.push(SimulatedCall {
            call: read_call(reader)?,
            gas: optional(reader, Reader::u64)?,
            nonce: optional(reader, Reader::u64)?,
            priority_fee: match optional(reader, Reader::word)? {
                Some(fee) => Some(u128::try_from(fee).ok()?),
                None => None,
            },
        });
    }
    Some(SimulatedBlock { block, accounts, calls, is_strict })
}

fn put_address(address: &Address, out: &mut Vec<u8>) {
    out.extend_from_slice(address.as_slice());
}

fn put_u64(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_word(value: U256, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes::<32>());
}

fn put_log(log: &Log, out: &mut Vec<u8>) {
    put_address(&log.address, out);
    put_u32(log.topics().len(), out);
    log.topics().iter().for_each(|topic| out.extend_from_slice(topic.as_slice()));
    put_blob(&log.data.data, out);
}

fn put_frame(frame: &Frame, out: &mut Vec<u8>) {
    out.push(frame.kind as u8);
    put_u32(frame.depth as usize, out);
    put_address(&frame.from, out);
    put_address(&frame.to, out);
    put_word(frame.value, out);
    put_u64(frame.gas, out);
    put_u64(frame.gas_used, out);
    put_blob(&frame.input, out);
    put_blob(&frame.output, out);
    put_blob(frame.error.as_bytes(), out);
    out.push(u8::from(frame.is_revert));
    put_u32(frame.logs.len(), out);
    for (log, calls) in &frame.logs {
        put_log(log, out);
        put_u32(*calls as usize, out);
    }
}

fn put_side(side: &Side, out: &mut Vec<u8>) {
    put_word(side.balance, out);
    put_u64(side.nonce, out);
    put_blob(&side.code, out);
}

fn put_touched(touched: &Touched, out: &mut Vec<u8>) {
    put_address(&touched.address, out);
    put_side(&touched.before, out);
    put_side(&touched.after, out);
    put_u32(touched.slots.len(), out);
    for (slot, before, after) in &touched.slots {
        put_word(*slot, out);
        put_word(*before, out);
        put_word(*after, out);
    }
}

pub fn put_result(result: &CallResult, out: &mut Vec<u8>) {
    out.push(result.outcome as u8);
    put_u64(result.gas_used, out);
    put_blob(&result.output, out);
    put_blob(result.reason.as_bytes(), out);
    put_u32(result.logs.len(), out);
    result.logs.iter().for_each(|log| put_log(log, out));
    put_u32(result.frames.len(), out);
    result.frames.iter().for_each(|frame| put_frame(frame, out));
    put_u32(result.touched.len(), out);
    result.touched.iter().for_each(|touched| put_touched(touched, out));
    put_blob(&result.steps, out);
    out.push(u8::from(result.is_cut));
}

pub fn put_simulated(simulated: &Simulated, out: &mut Vec<u8>) {
    put_u32(simulated.results.len(), out);
    for done in &simulated.results {
        put_u64(done.gas, out);
        put_u64(done.nonce, out);
        put_result(&done.result, out);
    }
    out.push(u8::from(simulated.state_root.is_some()));
    out.extend_from_slice(simulated.state_root.unwrap_or_default().as_slice());
}

pub fn put_results(results: &[CallResult], out: &mut Vec<u8>) {
    put_u32(results.len(), out);
    results.iter().for_each(|result| put_result(result, out));
}
