//! Calls of the ABI that leave nothing behind: `eth_call`, `eth_simulateV1`, `debug_trace*`.
use crate::{
    abi::{Machine, answer, change},
    call_wire::{put_results, put_simulated, read_simulated_block, read_step, read_wanted},
    wire::{Reader, read_input},
};
use alloc::vec::Vec;
use nectar_machine::{call::simulate, fault::Fault, header, replay::replay, simulation};

const NO_REQUEST: Fault = Fault::Input("not a request");

/// Blob header, wanted 1, count 4 of steps: see ../README.md.
#[unsafe(no_mangle)]
pub extern "C" fn simulate_calls(at: *const u8, length: usize) -> i32 {
    answer(at, length, |machine: &mut Machine, mut reader: Reader, out: &mut Vec<u8>| {
        let header = header::decode(reader.blob().ok_or(NO_REQUEST)?)?;
        let wanted = read_wanted(&mut reader).ok_or(NO_REQUEST)?;
        let mut steps = Vec::new();
        for _ in 0..reader.u32().ok_or(NO_REQUEST)? {
            steps.push(read_step(&mut reader).ok_or(NO_REQUEST)?);
        }
        put_results(&simulate(&mut machine.state, &header, &steps, &machine.rules, wanted)?, out);
        Ok(())
    })
}

/// Blob header of the block before, wanted, one block: its state is fresh.
#[unsafe(no_mangle)]
pub extern "C" fn simulate_block(at: *const u8, length: usize) -> i32 {
    change(at, length, |machine: &mut Machine, mut reader: Reader, out: &mut Vec<u8>| {
        let previous = header::decode(reader.blob().ok_or(NO_REQUEST)?)?;
        let wanted = read_wanted(&mut reader).ok_or(NO_REQUEST)?;
        let block = read_simulated_block(&mut reader).ok_or(NO_REQUEST)?;
        put_simulated(&simulation::simulate_block(&mut machine.state, &previous, &block, &machine.rules, wanted)?, out);
        Ok(())
    })
}

/// Wanted 1, index 4 (2^32-1 for all), then as `execute_block`.
#[unsafe(no_mangle)]
pub extern "C" fn trace_block(at: *const u8, length: usize) -> i32 {
    answer(at, length, |machine: &mut Machine, mut reader: Reader, out: &mut Vec<u8>| {
        let wanted = read_wanted(&mut reader).ok_or(NO_REQUEST)?;
        let only = reader.u32().ok_or(NO_REQUEST)?;
        let only = (only != u32::MAX).then_some(only);
        let previous = header::decode(reader.blob().ok_or(NO_REQUEST)?)?;
        let input = read_input(&mut reader).ok_or(NO_REQUEST)?;
        put_results(&replay(&mut machine.state, &previous, &input, only, &machine.rules, wanted)?, out);
        Ok(())
    })
}
