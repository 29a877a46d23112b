//! The kinds of the machine by the kinds of a dispute.
use crate::calls::{BLOB_ELEMENT, ECRECOVER, KECCAK, read, read_hinted};
use alloc::vec::Vec;
use alloy_primitives::{B256, keccak256};
use nectar_machine::{
    fault::Fault,
    preimage::{Kind, Preimages},
};

/// As much as the machine takes in WebAssembly.
const MAX_PREIMAGE_BYTES: usize = 1 << 20;
const ELEMENT_BYTES: usize = 32;
const ELEMENTS: u64 = 4_096;

/// Answers by reading. What a block writes is not asked for again within its iteration.
pub struct Oracle;

impl Preimages for Oracle {
    fn get(&mut self, kind: Kind, hash: &B256) -> Result<Vec<u8>, Fault> {
        match kind {
            Kind::Blob => read_blob(hash),
            _ => read(KECCAK, &hash.0, MAX_PREIMAGE_BYTES).ok_or(Fault::Malformed("preimage")),
        }
    }
    fn put(&mut self, _: Kind, _: B256, _: &[u8]) {}
}

/// Element by element, since one element is what L1 can check.
fn read_blob(versioned_hash: &B256) -> Result<Vec<u8>, Fault> {
    let mut name = [0; 64];
    name[..32].copy_from_slice(versioned_hash.as_slice());
    let mut blob = Vec::with_capacity(ELEMENTS as usize * ELEMENT_BYTES);
    for index in 0..ELEMENTS {
        name[56..].copy_from_slice(&index.to_be_bytes());
        let element = read(BLOB_ELEMENT, &keccak256(name).0, ELEMENT_BYTES);
        blob.extend_from_slice(&element.ok_or(Fault::Malformed("blob element"))?);
    }
    Ok(blob)
}

/// What precompile 0x01 answers.
pub fn recover(input: &[u8; 128]) -> Option<[u8; 32]> {
    read_hinted(ECRECOVER, &keccak256(input).0, ELEMENT_BYTES, input)?.try_into().ok()
}
