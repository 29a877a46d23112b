//! What the chain is: decode a batch, derive blocks, run the EVM, keep the state, give header and receipts.
//!
//! Pure: no I/O, no clock, no randomness. All that it knows of the world comes through [`preimage::Preimages`]. Compiled to
//! WebAssembly it is what a node runs; compiled to RV32IM it is what a dispute runs.
#![no_std]
#![forbid(unsafe_code)]
// `--cfg oracle`, which the guest of disputes is compiled with: no feature of Cargo, so that nothing else changes by it.
#![allow(unexpected_cfgs)]
extern crate alloc;

pub mod batch;
pub mod batch_rules;
pub mod batch_transactions;
pub mod blob;
pub mod block;
pub mod call;
pub mod column;
pub mod derive;
pub mod effects;
pub mod fault;
pub mod genesis;
pub mod header;
pub mod inbox;
pub mod inflate;
pub mod l1_header;
pub mod node_codec;
pub mod obstacle;
pub mod plan;
pub mod preimage;
pub mod receipt;
#[cfg(oracle)]
pub mod recovery_oracle;
pub mod replay;
pub mod rlp;
pub mod rules;
pub mod sender;
pub mod simulation;
pub mod state;
pub mod trace;
pub mod transaction;
pub mod trie;
