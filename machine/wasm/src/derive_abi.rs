//! Derivation from hashes alone: one block of a batch, or the inputs of its blocks.
use crate::{
    abi::{Machine, answer, change},
    derive_wire::{put_inputs, put_step, read_place},
    wire::Reader,
};
use alloc::vec::Vec;
use nectar_machine::fault::Fault;

const NO_PLACE: Fault = Fault::Input("not a place of derivation");

/// Deployed at 8, accumulator 32, head 32, offset 8: see ../README.md.
#[unsafe(no_mangle)]
pub extern "C" fn derive_block(at: *const u8, length: usize) -> i32 {
    change(at, length, |machine: &mut Machine, mut reader: Reader, out: &mut Vec<u8>| {
        let place = read_place(&mut reader).ok_or(NO_PLACE)?;
        put_step(&machine.deriver.derive(&mut machine.state, &place, &machine.rules)?, out);
        Ok(())
    })
}

/// As `derive_block`, of the blocks from the place on; nothing is executed.
#[unsafe(no_mangle)]
pub extern "C" fn derive_inputs(at: *const u8, length: usize) -> i32 {
    answer(at, length, |machine: &mut Machine, mut reader: Reader, out: &mut Vec<u8>| {
        let place = read_place(&mut reader).ok_or(NO_PLACE)?;
        put_inputs(&machine.deriver.inputs(&place, &mut machine.state.preimages)?, out);
        Ok(())
    })
}
