//! Shards of a segment. The code is that of reed-solomon-simd (Leopard, GF(2^16)); what runs over the bytes is a product with its
//! coefficients, since the number of shards is small and the same for a whole segment. See ../README.md.
#![cfg_attr(not(test), no_std)]
extern crate alloc;

pub mod coefficients;
pub mod pieces;
pub mod product;
