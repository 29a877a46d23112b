//! F: what one iteration of a dispute makes of a point in the execution of L2. docs/design/0031 has the words of each preimage.
use crate::calls::{self, KECCAK};
use alloc::vec::Vec;
use alloy_primitives::{B256, U256, keccak256};
use nectar_machine::{
    derive::{Deriver, Place, Step},
    fault::Fault,
    rules::{Fork, Rules},
    state::State,
};

use crate::oracle::Oracle;

const MALFORMED: Fault = Fault::Malformed("input");
const WORD_BYTES: usize = 32;
/// Of RollupConfig.
const CONFIG_WORDS: usize = 7;

/// G.
struct Point {
    block_hash: B256,
    send_root: B256,
    batch: u64,
    offset: u64,
}

impl Point {
    /// keccak256(abi.encode(G))
    fn hash(&self) -> B256 {
        let (batch, offset) = (B256::from(U256::from(self.batch)), B256::from(U256::from(self.offset)));
        keccak256([self.block_hash.0, self.send_root.0, batch.0, offset.0].concat())
    }

    fn after(&self, step: &Step) -> Result<Point, Fault> {
        let (batch, offset) = match step.next {
            Some(offset) => (self.batch, offset),
            None => (self.batch.checked_add(1).ok_or(MALFORMED)?, 0),
        };
        Ok(Point { block_hash: step.head, send_root: step.send_root, batch, offset })
    }
}

/// The hash of F(G), for the input I.
pub fn run(input: &[u8; 32]) -> Result<B256, Fault> {
    let [block_hash, send_root, batch, offset, target, accumulator, config] = read_words(input)?;
    let point = Point { block_hash, send_root, batch: number(&batch)?, offset: number(&offset)? };
    if point.batch == number(&target)? {
        return Ok(point.hash());
    }
    // RollupConfig of the contracts. Its first word is the hash of what a block needs and no hash of the chain says; the rest is L1's.
    let [chain, ..]: [B256; CONFIG_WORDS] = read_words(&config.0)?;
    let [chain_id, fork, p256, deployed_at] = read_words(&chain.0)?;
    let fork = u8::try_from(number(&fork)?).ok().and_then(Fork::from_number).ok_or(MALFORMED)?;
    let rules = Rules::new(number(&chain_id)?, fork, number(&p256)? == 1);
    let place =
        Place { deployed_at: number(&deployed_at)?, accumulator, head: point.block_hash, offset: point.offset };
    let mut state = State::new(Oracle);
    let step = Deriver::default().derive(&mut state, &place, &rules)?;
    Ok(point.after(&step)?.hash())
}

fn read_words<const N: usize>(hash: &[u8; 32]) -> Result<[B256; N], Fault> {
    let bytes: Vec<u8> = calls::read(KECCAK, hash, N * WORD_BYTES).ok_or(MALFORMED)?;
    if bytes.len() != N * WORD_BYTES {
        return Err(MALFORMED);
    }
    Ok(core::array::from_fn(|i| B256::from_slice(&bytes[WORD_BYTES * i..WORD_BYTES * (i + 1)])))
}

fn number(word: &B256) -> Result<u64, Fault> {
    u64::try_from(U256::from_be_bytes(word.0)).map_err(|_| MALFORMED)
}
