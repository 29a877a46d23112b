use crate::fault::Fault;
use alloc::vec::Vec;
use alloy_primitives::B256;

/// What a hash is asked for. The kind decides, never the value: a contract whose code is the one byte 0x80 has the hash of the
/// empty trie, and a store that knows only hashes takes one for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// RLP of a block header.
    Header = 0,
    /// RLP of a node of the account trie or of a storage trie.
    Node = 1,
    /// Code of a contract.
    Code = 2,
    /// RLP of a header of L1.
    L1Header = 3,
    /// What an accumulator of the L1 contracts, or a delayed message's hash, is the hash of: words as abi.encode writes them.
    Accumulator = 4,
    /// A batch's bytes, its blobs' versioned hashes one after the other, or a delayed message's data.
    Data = 5,
    /// A blob of 131,072 bytes, by its versioned hash (EIP-4844), which is no Keccak-256: whoever answers has checked it.
    Blob = 6,
}

/// All that the machine knows of the world: preimages by Keccak-256 hash, and where new ones go.
pub trait Preimages {
    /// The bytes whose Keccak-256 is `hash` (but see [`Kind::Blob`]). `Fault::Missing` when they are not there.
    fn get(&mut self, kind: Kind, hash: &B256) -> Result<Vec<u8>, Fault>;
    /// Remembers a new preimage. Called only for what the new state reaches.
    fn put(&mut self, kind: Kind, hash: B256, bytes: &[u8]);
}
