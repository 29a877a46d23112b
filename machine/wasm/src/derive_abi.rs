//! Derivation: one block of a batch from hashes alone.
use crate::{
    abi::{Machine, change},
    derive_wire::{put_step, read_place},
    wire::Reader,
};
use alloc::vec::Vec;
use nectar_machine::fault::Fault;

/// Deployed at 8, accumulator 32, head 32, offset 8: see ../README.md.
#[unsafe(no_mangle)]
pub extern "C" fn derive_block(at: *const u8, length: usize) -> i32 {
    change(at, length, |machine: &mut Machine, mut reader: Reader, out: &mut Vec<u8>| {
        let place = read_place(&mut reader).ok_or(Fault::Input("not a place of derivation"))?;
        put_step(&machine.deriver.derive(&mut machine.state, &place, &machine.rules)?, out);
        Ok(())
    })
}
