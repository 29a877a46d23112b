//! Derivation: what a batch that L1 took makes of L2, from hashes alone. `docs/design/0013-derivation.md` is the function.
//!
//! One call gives one block, as a dispute counts them: (head, batch, offset) -> (block, next offset). It is total: whatever
//! the batch and the messages hold, there is an answer; a fault is a preimage that is missing or not what its hash stands for.
//!
//! Bounds: a batch is at most 120,000 bytes, 4 MiB of columns, 4,096 blocks and 20,000 transactions; 7,201 L1 headers are walked;
//! of a message that the batch names and L2 has not read 32 bytes are kept; a block's content is bounded by its gas.
use crate::{
    batch::{BATCH_LIMITS, BatchBlock, decode_batch},
    batch_rules::{Broken, Head, Rule, find_broken_rule},
    blob,
    block::{BlockInput, BlockOutput, RawTransaction, execute},
    effects::{Effects, Ignored},
    fault::Fault,
    header,
    inbox::{BatchRecord, DelayedMessage, MessageQueue, Source},
    l1_header::Ancestors,
    preimage::{Kind, Preimages},
    rules::{MESSENGER_ADDRESS, Rules},
    state::State,
};
use alloc::vec::Vec;
use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use revm::{Database, primitives::KECCAK_EMPTY};

/// Where derivation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The last L1 block before the contracts: the children of the genesis are judged as if it were their parent's origin.
    pub deployed_at: u64,
    /// SequencerInbox's accumulator after the batch.
    pub accumulator: B256,
    /// Hash of the last L2 block derived so far.
    pub head: B256,
    /// 0, or what the step before gave as `next`.
    pub offset: u64,
}

pub struct DerivedBlock {
    pub output: BlockOutput,
    /// No batch holds it: derivation made it to read messages that were owed.
    pub is_obliged: bool,
    /// Delayed messages that it consumes.
    pub messages: u32,
    /// How many transactions of the input, the first, came by message.
    pub forced: u32,
    pub ignored: Vec<Ignored>,
}

pub struct Step {
    /// Said once, at offset 0.
    pub is_malformed: bool,
    pub broken: Option<Broken>,
    /// `None`: the batch makes no block at this place, and has none to come.
    pub block: Option<DerivedBlock>,
    /// The offset of the next block of this batch; `None` when there is none: on to the next batch, at 0.
    pub next: Option<u64>,
    /// Hash of the last L2 block, and the root of its messages to L1.
    pub head: B256,
    pub send_root: B256,
}

/// Derives; keeps the batch that it opened last. What is kept changes no result.
#[derive(Default)]
pub struct Deriver {
    batch: Option<Batch>,
}

impl Deriver {
    pub fn forget(&mut self) {
        self.batch = None;
    }

    /// The block at this place. After a fault `state` has forgotten what it had in memory, and what was put must be thrown away.
    pub fn derive<P: Preimages>(&mut self, state: &mut State<P>, place: &Place, rules: &Rules) -> Result<Step, Fault> {
        let result = self.run(state, place, rules);
        if result.is_err() {
            self.forget();
            state.reset();
        }
        result
    }

    fn run<P: Preimages>(&mut self, state: &mut State<P>, place: &Place, rules: &Rules) -> Result<Step, Fault> {
        let header = header::decode(&state.preimages.get(Kind::Header, &place.head)?)?;
        let head = Head::of(header, place.deployed_at)?;
        let is_open = |batch: &Batch| batch.accumulator == place.accumulator && batch.messages.reaches(head.read);
        let batch = match self.batch.take().filter(is_open) {
            Some(batch) => batch,
            None => Batch::open(place.accumulator, head.read, &mut state.preimages)?,
        };
        self.batch.insert(batch).step(state, head, place, rules)
    }
}

struct Batch {
    accumulator: B256,
    record: BatchRecord,
    is_malformed: bool,
    blocks: Vec<BatchBlock>,
    ancestors: Ancestors,
    messages: MessageQueue,
}

impl Batch {
    /// `read`: delayed messages that L2 has consumed already.
    fn open<P: Preimages>(accumulator: B256, read: u64, preimages: &mut P) -> Result<Batch, Fault> {
        let record = BatchRecord::open(&accumulator, preimages)?;
        let blocks = read_blocks(&record, preimages)?;
        let ancestors = Ancestors::new(record.posted_in, record.l1_parent);
        let messages = MessageQueue::open(&record, read, preimages)?;
        let is_malformed = blocks.is_none();
        Ok(Batch { accumulator, record, is_malformed, blocks: blocks.unwrap_or_default(), ancestors, messages })
    }

    fn step<P: Preimages>(
        &mut self,
        state: &mut State<P>,
        head: Head,
        place: &Place,
        rules: &Rules,
    ) -> Result<Step, Fault> {
        let is_malformed = self.is_malformed && place.offset == 0;
        let mut step =
            Step { is_malformed, broken: None, block: None, next: None, head: place.head, send_root: B256::ZERO };
        let (block, after) = match self.check(place.offset, &head, &mut step.broken, &mut state.preimages)? {
            Some(messages) => {
                let own = self.blocks[place.offset as usize].clone();
                (self.append(own, &messages, &head, (state, rules))?, place.offset + 1)
            }
            None if head.read < self.record.delayed_count => {
                let after = place.offset.max(self.blocks.len() as u64).saturating_add(1);
                (self.oblige(&head, (state, rules))?, after)
            }
            None => {
                step.send_root = send_root(state, &head.header)?;
                return Ok(step);
            }
        };
        let head = Head::of(block.output.header.clone(), place.deployed_at)?;
        step.head = block.output.hash;
        step.send_root = send_root(state, &head.header)?;
        step.block = Some(block);
        step.next = self.find_next(after, &head, &mut step.broken, &mut state.preimages)?;
        Ok(step)
    }

    /// The offset of the block after this one. A block that breaks a rule is said to now, and is not asked for again.
    fn find_next<P: Preimages>(
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
    fn oblige<P: Preimages>(
        &mut self,
        head: &Head,
        (state, rules): (&mut State<P>, &Rules),
    ) -> Result<DerivedBlock, Fault> {
        let messages = self.messages.consumable(head.read, usize::MAX, &mut state.preimages)?;
        let origin = self.ancestors.at(self.record.posted_in.saturating_sub(1), &mut state.preimages)?;
        let block = BatchBlock {
            timestamp: head.header.timestamp.max(origin.timestamp),
            origin_number: origin.number,
            origin_hash: origin.hash,
            delayed_messages: messages.len(),
            transactions: Vec::new(),
        };
        Ok(DerivedBlock { is_obliged: true, ..self.append(block, &messages, head, (state, rules))? })
    }

    fn append<P: Preimages>(
        &self,
        block: BatchBlock,
        messages: &[DelayedMessage],
        head: &Head,
        (state, rules): (&mut State<P>, &Rules),
    ) -> Result<DerivedBlock, Fault> {
        let effects = Effects::of(messages, head.header.gas_limit, &mut state.preimages)?;
        let mut transactions = effects.transactions;
        let forced = transactions.len() as u32;
        transactions.extend(block.transactions.into_iter().map(|bytes| RawTransaction { bytes, sender: None }));
        let input = BlockInput {
            timestamp: block.timestamp,
            origin_number: block.origin_number,
            origin_hash: block.origin_hash,
            delayed_messages: messages.len() as u32,
            // The same for every block of the chain, from the genesis on.
            fee_recipient: head.header.beneficiary,
            parameters: effects.parameters,
            deposits: effects.deposits,
            transactions,
        };
        let output = execute(state, &head.header, &input, rules)?;
        let messages = messages.len() as u32;
        Ok(DerivedBlock { output, is_obliged: false, messages, forced, ignored: effects.ignored })
    }
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

/// Slot 0 of the Messenger: the root of the messages to L1 in the state after a block.
fn send_root<P: Preimages>(state: &mut State<P>, header: &Header) -> Result<B256, Fault> {
    state.open(header.state_root);
    Ok(B256::from(state.storage(MESSENGER_ADDRESS, U256::ZERO)?))
}
