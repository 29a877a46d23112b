//! A batch out of EIP-4844 blobs.
use crate::{
    fault::Fault,
    preimage::{Kind, Preimages},
};
use alloc::vec::Vec;
use alloy_primitives::B256;

const ELEMENT_BYTES: usize = 32;
const BLOB_BYTES: usize = 4_096 * ELEMENT_BYTES;
const LENGTH_BYTES: usize = 4;

/// The bytes of the batch in the blobs with these versioned hashes, joined: the low 31 bytes of each field element, of which
/// the first four say how many more are the batch. `None` when it is malformed: a field element whose first byte is not zero, or
/// fewer bytes than the length says. The host answers for a blob being the one that the versioned hash commits to.
pub fn read_batch<P: Preimages>(hashes: &[u8], preimages: &mut P) -> Result<Option<Vec<u8>>, Fault> {
    if hashes.is_empty() || !hashes.len().is_multiple_of(32) {
        return Err(Fault::Malformed("list of versioned hashes"));
    }
    let mut bytes = Vec::new();
    let mut is_sound = true;
    for hash in hashes.chunks_exact(32) {
        let blob = preimages.get(Kind::Blob, &B256::from_slice(hash))?;
        if blob.len() != BLOB_BYTES {
            return Err(Fault::Malformed("blob"));
        }
        for element in blob.chunks_exact(ELEMENT_BYTES) {
            is_sound &= element[0] == 0;
            bytes.extend_from_slice(&element[1..]);
        }
    }
    Ok(if is_sound { take_batch(bytes) } else { None })
}

fn take_batch(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let head: [u8; LENGTH_BYTES] = bytes.get(..LENGTH_BYTES)?.try_into().ok()?;
    let length = usize::try_from(u32::from_be_bytes(head)).ok()?;
    if length > bytes.len() - LENGTH_BYTES {
        return None;
    }
    bytes.truncate(LENGTH_BYTES + length);
    bytes.drain(..LENGTH_BYTES);
    Some(bytes)
}
