//! What a batch makes of L2 at an offset, before anything is executed: the input of a block, and the reasons for all that has no
//! place in it.
use crate::{
    batch::{BATCH_LIMITS, BatchBlock, decode_batch},
    batch_rules::{Broken, Head, Rule, find_broken_rule},
    blob,
    block::{BlockInput, RawTransaction},
    effects::{Effects, Ignored},
    fault::Fault,
    inbox::{BatchRecord, DelayedMessage, MessageQueue, Source},
    l1_header::Ancestors,
    preimage::{Kind, Preimages},
};
use alloc::vec::Vec;
use alloy_primitives::{B256, keccak256};
use revm::primitives::KECCAK_EMPTY;

/// A block that is not executed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBlock {
    pub input: BlockInput,
    /// No batch holds it: derivation made it to read messages that were owed.
    pub is_obliged: bool,
    /// How many transactions of the input, the first, came by message.
    pub forced: u32,
    pub ignored: Vec<Ignored>,
}

/// An opened batch. What is kept changes no result.
pub struct Batch {
    accumulator: B256,
    record: BatchRecord,
    is_malformed: bool,
    blocks: Vec<BatchBlock>,
    ancestors: Ancestors,
    messages: MessageQueue,
}

impl Batch {
    /// `read`: delayed messages that L2 has consumed already.
    pub fn open<P: Preimages>(accumulator: B256, read: u64, preimages: &mut P) -> Result<Batch, Fault> {
        let record = BatchRecord::open(&accumulator, preimages)?;
        let blocks = read_blocks(&record, preimages)?;
        let ancestors = Ancestors::new(record.posted_in, record.l1_parent);
        let messages = MessageQueue::open(&record, read, preimages)?;
        let is_malformed = blocks.is_none();
        Ok(Batch { accumulator, record, is_malformed, blocks: blocks.unwrap_or_default(), ancestors, messages })
    }

    /// Whether it is this batch, and has the messages from `read` on.
    pub fn is(&self, accumulator: &B256, read: u64) -> bool {
        self.accumulator == *accumulator && self.messages.reaches(read)
    }

    pub fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// The block at an offset and the offset after it; `None` when the batch makes none there, and has none to come. A rule that
    /// the batch's own block breaks is said in `broken`.
    pub fn plan<P: Preimages>(
        &mut self,
        offset: u64,
        head: &Head,
        broken: &mut Option<Broken>,
        preimages: &mut P,
    ) -> Result<Option<(PlannedBlock, u64)>, Fault> {
        if let Some(messages) = self.check(offset, head, broken, preimages)? {
            let own = self.blocks[offset as usize].clone();
            return Ok(Some((plan_block(own, &messages, head, preimages)?, offset + 1)));
        }
        if head.read >= self.record.delayed_count {
            return Ok(None);
        }
        let after = offset.max(self.blocks.len() as u64).saturating_add(1);
        Ok(Some((self.oblige(head, preimages)?, after)))
    }

    /// The offset of the block after this one. A block that breaks a rule is said to now, and is not asked for again.
    pub fn find_next<P: Preimages>(
        &mut self,
        after: u64,
        head: &Head,
        broken: &mut Option<Broken>,
        preimages: &mut P,
    ) -> Result<Option<u64>, Fault> {
        if self.check(after, head, broken, preimages)?.is_some() {
            return Ok(Some(after));
        }
        let owes = head.read < self.record.delayed_count;
        Ok(owes.then(|| after.max(self.blocks.len() as u64)))
    }

    /// Hashes of the transactions in the block that broke a rule and in those after it.
    pub fn lost_with(&self, broken: &Option<Broken>) -> Vec<B256> {
        let first = broken.map_or(usize::MAX, |broken| broken.index as usize);
        let blocks = self.blocks.iter().skip(first);
        blocks.flat_map(|block| block.transactions.iter().map(keccak256)).collect()
    }

    /// The messages that the batch's block at an offset consumes; `None` when it breaks a rule, which `broken` says then, or is not
    /// there.
    fn check<P: Preimages>(
        &mut self,
        offset: u64,
        head: &Head,
        broken: &mut Option<Broken>,
        preimages: &mut P,
    ) -> Result<Option<Vec<DelayedMessage>>, Fault> {
        let index = usize::try_from(offset).unwrap_or(usize::MAX);
        let Some(block) = self.blocks.get(index) else { return Ok(None) };
        let posted_in = self.record.posted_in;
        if let Some(rule) = find_broken_rule(block, head, posted_in, &mut self.ancestors, preimages)? {
            *broken = Some(self.broken_at(index, rule));
            return Ok(None);
        }
        let messages = self.messages.consumable(head.read, block.delayed_messages, preimages)?;
        if messages.len() < block.delayed_messages {
            *broken = Some(self.broken_at(index, Rule::Messages));
            return Ok(None);
        }
        Ok(Some(messages))
    }

    fn broken_at(&self, index: usize, rule: Rule) -> Broken {
        Broken { index: index as u32, count: self.blocks.len() as u32, rule }
    }

    /// The obligation: a block that reads messages which the batch names and its own blocks left.
    fn oblige<P: Preimages>(&mut self, head: &Head, preimages: &mut P) -> Result<PlannedBlock, Fault> {
        let messages = self.messages.consumable(head.read, usize::MAX, preimages)?;
        let origin = self.ancestors.at(self.record.posted_in.saturating_sub(1), preimages)?;
        let block = BatchBlock {
            timestamp: head.timestamp.max(origin.timestamp),
            origin_number: origin.number,
            origin_hash: origin.hash,
            delayed_messages: messages.len(),
            transactions: Vec::new(),
        };
        Ok(PlannedBlock { is_obliged: true, ..plan_block(block, &messages, head, preimages)? })
    }
}

fn plan_block<P: Preimages>(
    block: BatchBlock,
    messages: &[DelayedMessage],
    head: &Head,
    preimages: &mut P,
) -> Result<PlannedBlock, Fault> {
    let effects = Effects::of(messages, head.gas_limit, preimages)?;
    let mut transactions = effects.transactions;
    let forced = transactions.len() as u32;
    transactions.extend(block.transactions.into_iter().map(|bytes| RawTransaction { bytes, sender: None }));
    let input = BlockInput {
        timestamp: block.timestamp,
        origin_number: block.origin_number,
        origin_hash: block.origin_hash,
        delayed_messages: messages.len() as u32,
        // The same for every block of the chain, from the genesis on.
        fee_recipient: head.fee_recipient,
        parameters: effects.parameters,
        deposits: effects.deposits,
        transactions,
    };
    Ok(PlannedBlock { input, is_obliged: false, forced, ignored: effects.ignored })
}

/// The batch's blocks; `None` when it is malformed. An empty one holds none.
fn read_blocks<P: Preimages>(record: &BatchRecord, preimages: &mut P) -> Result<Option<Vec<BatchBlock>>, Fault> {
    if record.source == Source::Forced || record.data_hash == KECCAK_EMPTY {
        return Ok(Some(Vec::new()));
    }
    let data = preimages.get(Kind::Data, &record.data_hash)?;
    if record.source == Source::Calldata {
        return Ok(decode_batch(&data, &BATCH_LIMITS));
    }
    let batch = blob::read_batch(&data, preimages)?;
    Ok(batch.and_then(|bytes| if bytes.is_empty() { Some(Vec::new()) } else { decode_batch(&bytes, &BATCH_LIMITS) }))
}
