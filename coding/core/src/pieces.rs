use alloc::{vec, vec::Vec};
use keccak::types::{ParFn1600, ParState1600};
use keccak::{Backend, BackendClosure, Keccak};

/// What an audit asks for.
pub const LEAF: usize = 256;
const LEVELS: usize = 6;
/// A subtree of 64 leaves, whose hash a holder keeps.
pub const PIECE: usize = LEAF << LEVELS;
pub const HASH: usize = 32;
/// Bytes that Keccak-256 takes at a time.
const RATE: usize = 136;
const ROUNDS: usize = 24;

const IS_LEAF: u8 = 0;
const IS_NODE: u8 = 1;
const IS_PAST_THE_END: u8 = 2;

type Hash = [u8; HASH];

/// The hash of each piece of a shard, whose length is a multiple of LEAF. Leaves past the end of the last piece have a hash of their own.
pub fn piece_hashes(shard: &[u8]) -> Vec<Hash> {
    let mut hashes = Vec::with_capacity(shard.len().div_ceil(PIECE));
    Keccak::new().with_backend(Pieces { shard, hashes: &mut hashes });
    hashes
}

struct Pieces<'a> {
    shard: &'a [u8],
    hashes: &'a mut Vec<Hash>,
}

/// By as many hashes at a time as the backend has: two in the lanes of a vector in WebAssembly.
impl BackendClosure for Pieces<'_> {
    fn call_once<B: Backend>(self) {
        let permute = B::get_par_p1600::<ROUNDS>();
        let mut past_the_end = [[0; HASH]];
        hash_each::<B>(permute, IS_PAST_THE_END, &[[0u8; 0]], &mut past_the_end);
        for piece in self.shard.chunks(PIECE) {
            let mut level = vec![past_the_end[0]; PIECE / LEAF];
            let leaves = piece.as_chunks::<LEAF>().0;
            hash_each::<B>(permute, IS_LEAF, leaves, &mut level[..leaves.len()]);
            while level.len() > 1 {
                let mut above = vec![[0; HASH]; level.len() / 2];
                let pairs = level.as_flattened().as_chunks::<{ 2 * HASH }>().0;
                hash_each::<B>(permute, IS_NODE, pairs, &mut above);
                level = above;
            }
            self.hashes.push(level[0]);
        }
    }
}

/// Keccak-256 of `kind | input`, with Ethereum's padding, of each input.
fn hash_each<B: Backend>(permute: ParFn1600<B>, kind: u8, inputs: &[impl AsRef<[u8]>], hashes: &mut [Hash]) {
    let lanes = ParState1600::<B>::default().len();
    for (inputs, hashes) in inputs.chunks(lanes).zip(hashes.chunks_mut(lanes)) {
        let mut states = ParState1600::<B>::default();
        let length = 1 + inputs[0].as_ref().len();
        for at in (0..=length).step_by(RATE) {
            for (state, input) in states.iter_mut().zip(inputs) {
                absorb(state, kind, input.as_ref(), at);
            }
            permute(&mut states);
        }
        for (hash, state) in hashes.iter_mut().zip(&states) {
            for (bytes, word) in hash.as_chunks_mut::<8>().0.iter_mut().zip(state) {
                *bytes = word.to_le_bytes();
            }
        }
    }
}

/// Takes the block at `at` of `kind | input | padding` into a state.
fn absorb(state: &mut [u64; 25], kind: u8, input: &[u8], at: usize) {
    let mut block = [0u8; RATE];
    let (start, first) = if at == 0 { (0, 1) } else { (at - 1, 0) };
    block[0] = kind * first as u8;
    let taken = (input.len() - start).min(RATE - first);
    block[first..first + taken].copy_from_slice(&input[start..start + taken]);
    if first + taken < RATE {
        block[first + taken] ^= 1;
        block[RATE - 1] ^= 0x80;
    }
    for (word, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *word ^= u64::from_le_bytes(*bytes);
    }
}
