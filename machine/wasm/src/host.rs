//! What the host gives: preimages.
use alloc::{vec, vec::Vec};
use alloy_primitives::B256;
use nectar_machine::{
    fault::Fault,
    preimage::{Kind, Preimages},
};

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Writes at most `capacity` bytes of the preimage to `out` and returns its length, or -1 when it is not there.
    fn preimage(kind: u32, hash: *const u8, out: *mut u8, capacity: usize) -> i32;
}

/// No node is longer than 532 bytes, no header than 1 KiB, no code than 24 KiB by the rules; a genesis may have more.
const MAX_PREIMAGE_BYTES: usize = 1 << 20;
const FIRST_CAPACITY: usize = 32 << 10;

/// Reads from the host; keeps what a block writes in one buffer: (kind 1 | hash 32 | length 4, little endian | bytes)*.
pub struct HostPreimages {
    pub fresh: Vec<u8>,
    scratch: Vec<u8>,
}

impl HostPreimages {
    pub fn new() -> HostPreimages {
        HostPreimages { fresh: Vec::new(), scratch: vec![0; FIRST_CAPACITY] }
    }
}

impl Preimages for HostPreimages {
    fn get(&mut self, kind: Kind, hash: &B256) -> Result<Vec<u8>, Fault> {
        loop {
            let (out, capacity) = (self.scratch.as_mut_ptr(), self.scratch.len());
            // SAFETY: the host writes at most `capacity` bytes to `out`, which is this instance's own memory.
            let length = unsafe { preimage(kind as u32, hash.as_ptr(), out, capacity) };
            let Ok(length) = usize::try_from(length) else { return Err(Fault::Missing(kind, *hash)) };
            if length <= capacity {
                return Ok(self.scratch[..length].to_vec());
            }
            if length > MAX_PREIMAGE_BYTES || capacity >= length {
                return Err(Fault::Malformed("preimage"));
            }
            self.scratch = vec![0; length];
        }
    }

    fn put(&mut self, kind: Kind, hash: B256, bytes: &[u8]) {
        self.fresh.push(kind as u8);
        self.fresh.extend_from_slice(hash.as_slice());
        self.fresh.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.fresh.extend_from_slice(bytes);
    }
}
