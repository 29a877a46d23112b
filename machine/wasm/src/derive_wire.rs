//! Derivation as bytes; ../README.md has the layout.
use crate::wire::{Reader, put_input, put_output, put_u32};
use alloc::vec::Vec;
use alloy_primitives::B256;
use nectar_machine::{
    batch_rules::Broken,
    derive::{DerivedBlock, Inputs, Place, Step},
    effects::{Flaw, Ignored},
    plan::PlannedBlock,
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
    put_next(step.next, out);
    out.push(u8::from(step.is_malformed));
    put_broken(&step.broken, out);
    out.push(u8::from(step.block.is_some()));
    if let Some(block) = &step.block {
        put_block(block, out);
    }
}

pub fn put_inputs(inputs: &Inputs, out: &mut Vec<u8>) {
    put_next(inputs.next, out);
    out.push(u8::from(inputs.is_malformed));
    put_broken(&inputs.broken, out);
    put_u32(inputs.lost.len(), out);
    for hash in &inputs.lost {
        out.extend_from_slice(hash.as_slice());
    }
    put_u32(inputs.blocks.len(), out);
    for PlannedBlock { input, is_obliged, forced, ignored } in &inputs.blocks {
        out.push(u8::from(*is_obliged));
        put_u32(*forced as usize, out);
        put_ignored(ignored, out);
        put_input(input, out);
    }
}

fn put_next(next: Option<u64>, out: &mut Vec<u8>) {
    out.push(u8::from(next.is_some()));
    out.extend_from_slice(&next.unwrap_or_default().to_le_bytes());
}

fn put_broken(broken: &Option<Broken>, out: &mut Vec<u8>) {
    out.push(u8::from(broken.is_some()));
    if let Some(broken) = broken {
        put_u32(broken.index as usize, out);
        put_u32(broken.count as usize, out);
        out.push(broken.rule as u8);
    }
}

fn put_block(block: &DerivedBlock, out: &mut Vec<u8>) {
    out.push(u8::from(block.is_obliged));
    put_u32(block.messages as usize, out);
    put_u32(block.forced as usize, out);
    put_ignored(&block.ignored, out);
    put_output(&block.output, out);
}

fn put_ignored(ignored: &[Ignored], out: &mut Vec<u8>) {
    put_u32(ignored.len(), out);
    for Ignored { index, flaw } in ignored {
        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(&match *flaw {
            Flaw::TooLong => [0, 0],
            Flaw::TooMuchGas => [1, 0],
            Flaw::NotDeposit => [2, 0],
            Flaw::NotParameters => [3, 0],
            Flaw::UnknownKind(kind) => [4, kind],
        });
    }
}
