use alloc::{vec, vec::Vec};
use keccak::{Fn1600, Keccak};

/// What an audit asks for.
pub const LEAF: usize = 256;
const LEVELS: usize = 6;
/// A subtree of 64 leaves, whose hash a holder keeps.
pub const PIECE: usize = LEAF << LEVELS;
pub const HASH: usize = 32;
/// Bytes that Keccak-256 takes at a time.
const RATE: usize = 136;

const IS_LEAF: u8 = 0;
const IS_NODE: u8 = 1;
const IS_PAST_THE_END: u8 = 2;

type Hash = [u8; HASH];

/// The hash of each piece of a shard, whose length is a multiple of LEAF. Leaves past the end of the last piece have a hash of their own.
pub fn piece_hashes(shard: &[u8]) -> Vec<Hash> {
    let keccak = Keccak::new();
    let mut hashes = Vec::with_capacity(shard.len().div_ceil(PIECE));
    keccak.with_f1600(|permute| {
        let padding = keccak256(permute, IS_PAST_THE_END, &[]);
        for piece in shard.chunks(PIECE) {
            let mut level = vec![padding; PIECE / LEAF];
            for (hash, leaf) in level.iter_mut().zip(piece.chunks_exact(LEAF)) {
                *hash = keccak256(permute, IS_LEAF, leaf);
            }
            while level.len() > 1 {
                let pairs = level.as_chunks::<2>().0;
                level = pairs.iter().map(|pair| keccak256(permute, IS_NODE, pair.as_flattened())).collect();
            }
            hashes.push(level[0]);
        }
    });
    hashes
}

/// Keccak-256 of `kind | bytes`, with Ethereum's padding.
fn keccak256(permute: Fn1600, kind: u8, bytes: &[u8]) -> Hash {
    let mut state = [0u64; 25];
    let mut block = [0u8; RATE];
    block[0] = kind;
    let mut filled = 1;
    let mut rest = bytes;
    loop {
        let taken = rest.len().min(RATE - filled);
        block[filled..filled + taken].copy_from_slice(&rest[..taken]);
        filled += taken;
        rest = &rest[taken..];
        let is_last = filled < RATE;
        if is_last {
            block[filled..].fill(0);
            block[filled] ^= 1;
            block[RATE - 1] ^= 0x80;
        }
        for (word, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
            *word ^= u64::from_le_bytes(*bytes);
        }
        permute(&mut state);
        if is_last {
            break;
        }
        filled = 0;
    }
    let mut hash = [0; HASH];
    for (bytes, word) in hash.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = word.to_le_bytes();
    }
    hash
}
