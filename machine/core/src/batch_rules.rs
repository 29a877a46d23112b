//! What a block of a batch must keep to, besides the messages that it consumes: `fault(block, head)` of 0013.
use crate::{
    batch::BatchBlock, block::BlockInput, fault::Fault, header::OriginCursor, l1_header::Ancestors, preimage::Preimages,
};
use alloy_consensus::Header;
use alloy_primitives::Address;

/// L1 blocks by which an origin may be older than the block of its batch: a day. It bounds the walk.
pub const MAX_ORIGIN_AGE: u64 = 7_200;
/// Seconds by which a block's time may run ahead of its origin's.
pub const MAX_TIME_DRIFT: u64 = 1_800;

/// The first rule that a block breaks. The numbers are those of the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Rule {
    OriginBackwards = 0,
    OriginTooOld = 1,
    Origin = 2,
    Timestamp = 3,
    Messages = 4,
}

/// A block of the batch that breaks a rule: it and the rest of the batch are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    pub index: u32,
    /// How many blocks the batch holds.
    pub count: u32,
    pub rule: Rule,
}

/// What derivation asks of the last L2 block: where it stands in L1's order, and what is the same for every block of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub timestamp: u64,
    /// Number of its L1 origin.
    pub origin: u64,
    /// Delayed messages consumed up to and including it.
    pub read: u64,
    pub gas_limit: u64,
    pub fee_recipient: Address,
}

impl Head {
    /// The genesis stands at `deployed_at`, the last L1 block before the contracts.
    pub fn of(header: &Header, deployed_at: u64) -> Result<Head, Fault> {
        let cursor = OriginCursor::parse(header)?;
        Ok(Head {
            timestamp: header.timestamp,
            origin: if header.number == 0 { deployed_at } else { cursor.number },
            read: cursor.delayed_messages,
            gas_limit: header.gas_limit,
            fee_recipient: header.beneficiary,
        })
    }

    /// The block that this input makes on this one: known before it is executed.
    pub fn after(&self, input: &BlockInput) -> Head {
        Head {
            timestamp: input.timestamp,
            origin: input.origin_number,
            read: self.read.saturating_add(u64::from(input.delayed_messages)),
            ..self.clone()
        }
    }
}

/// Rules 1 to 4. What its numbers alone decide comes first, so that the walk to the origin is never longer than
/// `MAX_ORIGIN_AGE`, nor past the block that the contracts came after.
pub fn find_broken_rule<P: Preimages>(
    block: &BatchBlock,
    head: &Head,
    posted_in: u64,
    ancestors: &mut Ancestors,
    preimages: &mut P,
) -> Result<Option<Rule>, Fault> {
    if block.origin_number < head.origin {
        return Ok(Some(Rule::OriginBackwards));
    }
    if block.origin_number.saturating_add(MAX_ORIGIN_AGE) < posted_in {
        return Ok(Some(Rule::OriginTooOld));
    }
    if block.origin_number >= posted_in {
        return Ok(Some(Rule::Origin));
    }
    let origin = ancestors.at(block.origin_number, preimages)?;
    if origin.hash != block.origin_hash {
        return Ok(Some(Rule::Origin));
    }
    let earliest = head.timestamp.max(origin.timestamp);
    let latest = origin.timestamp.saturating_add(MAX_TIME_DRIFT);
    Ok((block.timestamp < earliest || block.timestamp > latest).then_some(Rule::Timestamp))
}
