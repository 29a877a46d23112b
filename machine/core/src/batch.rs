//! The batch codec, version 1; `protocol/rollup/batch.ts` has the layout. Decoding is strict, bounded in every count before
//! anything is allocated for it, and total: a malformed batch is `None`, which derivation takes for an empty one.
use crate::{
    batch_transactions::{TRANSACTION_SECTIONS, TransactionReader},
    column::{Column, Malformed},
    inflate::inflate,
};
use alloc::vec::Vec;
use alloy_primitives::B256;

/// What a decoder accepts at most. Part of the protocol: two nodes with other limits would derive other chains.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    pub max_bytes: usize,
    pub max_inflated_bytes: usize,
    pub max_blocks: usize,
    pub max_transactions: usize,
    pub max_delayed_messages: usize,
}

pub const BATCH_LIMITS: BatchLimits = BatchLimits {
    max_bytes: 120_000,
    max_inflated_bytes: 4 << 20,
    max_blocks: 4_096,
    max_transactions: 20_000,
    max_delayed_messages: 1_024,
};

const VERSION: u8 = 1;

/// One L2 block as the sequencer posts it: what L1 does not already say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchBlock {
    pub timestamp: u64,
    pub origin_number: u64,
    pub origin_hash: B256,
    /// How many delayed messages this block consumes, in Inbox order.
    pub delayed_messages: usize,
    /// EIP-2718 bytes, in order of execution.
    pub transactions: Vec<Vec<u8>>,
}

/// Decodes a batch posted by anyone; `None` when it is malformed or past a limit.
pub fn decode_batch(data: &[u8], limits: &BatchLimits) -> Option<Vec<BatchBlock>> {
    if data.len() > limits.max_bytes {
        return None;
    }
    let mut head = Column::new(data);
    if head.byte().ok()? != VERSION {
        return None;
    }
    let size = head.count(limits.max_inflated_bytes).ok()?;
    let plain = inflate(&data[1 + varint_bytes(size)..], size)?;
    decode_columns(&plain, limits).ok()
}

fn varint_bytes(value: usize) -> usize {
    if value < 128 { 1 } else { 1 + varint_bytes(value >> 7) }
}

struct BlockHead {
    timestamp: u64,
    origin_number: u64,
    delayed_messages: usize,
    transactions: usize,
}

fn decode_columns(plain: &[u8], limits: &BatchLimits) -> Result<Vec<BatchBlock>, Malformed> {
    let mut columns = Column::new(plain);
    let mut section = columns.section()?;
    let mut origins = columns.section()?;
    let mut sections = Vec::with_capacity(TRANSACTION_SECTIONS);
    for _ in 0..TRANSACTION_SECTIONS {
        sections.push(columns.section()?);
    }
    columns.end()?;
    let mut reader = TransactionReader::new(sections.try_into().map_err(|_| Malformed)?);

    let heads = decode_heads(&mut section, limits)?;
    let mut blocks = Vec::with_capacity(heads.len());
    let mut origin: Option<(u64, B256)> = None;
    for head in heads {
        let hash = match origin {
            Some((number, hash)) if number == head.origin_number => hash,
            _ => B256::from(origins.array::<32>()?),
        };
        origin = Some((head.origin_number, hash));
        let mut transactions = Vec::with_capacity(head.transactions);
        for _ in 0..head.transactions {
            transactions.push(reader.next()?);
        }
        blocks.push(BatchBlock {
            timestamp: head.timestamp,
            origin_number: head.origin_number,
            origin_hash: hash,
            delayed_messages: head.delayed_messages,
            transactions,
        });
    }
    origins.end()?;
    reader.end()?;
    Ok(blocks)
}

fn decode_heads(section: &mut Column, limits: &BatchLimits) -> Result<Vec<BlockHead>, Malformed> {
    let count = section.count(limits.max_blocks)?;
    let mut heads = Vec::with_capacity(count);
    let (mut timestamp, mut origin_number) = (0u64, 0u64);
    let mut left = limits.max_transactions;
    for _ in 0..count {
        timestamp = timestamp.checked_add(section.u64()?).ok_or(Malformed)?;
        origin_number = origin_number.checked_add(section.u64()?).ok_or(Malformed)?;
        let delayed_messages = section.count(limits.max_delayed_messages)?;
        let transactions = section.count(left)?;
        left -= transactions;
        heads.push(BlockHead { timestamp, origin_number, delayed_messages, transactions });
    }
    section.end()?;
    Ok(heads)
}
