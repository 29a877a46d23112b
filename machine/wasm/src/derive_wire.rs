//! Derivation as bytes; ../README.md has the layout.
use crate::wire::{Reader, put_output, put_u32};
use alloc::vec::Vec;
use alloy_primitives::B256;
use nectar_machine::{
    derive::{DerivedBlock, Place, Step},
    effects::{Flaw, Ignored},
};

pub fn read_place(reader: &mut Reader) -> Option<Place> {
    let deployed_at = reader.u64()?;
    let accumulator = B256::new(reader.array()?);
    let head = B256::new(reader.array()?);
    let offset = reader.u64()?;
    reader.0.is_empty().then_some(Place { deployed_at, accumulator, head, offset })
}

pub fn put_step(step: &Step, out: &mut Vec<u8>) {
    out.extend_from_slice(step.head.as_slice());
    out.extend_from_slice(step.send_root.as_slice());
    out.push(u8::from(step.next.is_some()));
    out.extend_from_slice(&step.next.unwrap_or_default().to_le_bytes());
    out.push(u8::from(step.is_malformed));
    out.push(u8::from(step.broken.is_some()));
    if let Some(broken) = step.broken {
        put_u32(broken.index as usize, out);
        put_u32(broken.count as usize, out);
        out.push(broken.rule as u8);
    }
    out.push(u8::from(step.block.is_some()));
    if let Some(block) = &step.block {
        put_block(block, out);
    }
}

fn put_block(block: &DerivedBlock, out: &mut Vec<u8>) {
    out.push(u8::from(block.is_obliged));
    put_u32(block.messages as usize, out);
    put_u32(block.forced as usize, out);
    put_u32(block.ignored.len(), out);
    for Ignored { index, flaw } in &block.ignored {
        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(&match *flaw {
            Flaw::TooLong => [0, 0],
            Flaw::TooMuchGas => [1, 0],
            Flaw::NotDeposit => [2, 0],
            Flaw::NotParameters => [3, 0],
            Flaw::UnknownKind(kind) => [4, kind],
        });
    }
    put_output(&block.output, out);
}
